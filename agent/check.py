"""Check a model before a run, in three short conversations with the agent itself.

Contract: nothing is measured and nothing stored. A finding says only what this check observed: a model that
read the digits in an image sees images; a model that did not may just be unable to read. What could not be observed is
reported as unknown.

The digits appear in the image only: white on grey, one digit per cell, the same bytes on every machine.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from pydantic import Field

from medvision_agent.agent.answer import Answer, answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import Gemini, ModelConfig
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.errors import ConfigError
from medvision_agent.finding import Finding
from medvision_agent.text import plural
from medvision_agent.tools.base import Arguments, Output, Result, Tool
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.slice import Grey, grey_slice
from medvision_agent.tools.view.views import ViewSet

__all__ = ["CELL", "Check", "check_model", "digits_picture"]


CELL = (96, 72)
"""Height and width of a digit's cell in pixels."""


def digits_picture(digits: str) -> Grey:
    """Return a grey image of *digits*: 96 pixels high, 72 pixels wide per digit."""
    height, width = CELL
    picture = np.full((height, width * len(digits)), 40, np.uint8)
    for number, digit in enumerate(digits):
        origin = (width * number + 12, height - 18)
        cv2.putText(picture, digit, origin, cv2.FONT_HERSHEY_SIMPLEX, 2.4, 255, 6)
    return picture


SHORT = 16
"""Output tokens allowed in the conversation that tests the limit."""
_LIMITS = Limits(model_calls=4, tool_calls=4)


@dataclass(eq=False)
class Check:
    """The result of checking a model: the findings, and the tokens that the check used."""

    findings: list[Finding] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    versions: tuple[str, ...] = ()
    """Model versions that the server reported."""

    @property
    def passed(self) -> bool:
        """True if no finding is "no"; findings that are "unknown" do not count against the model."""
        return all(finding.verdict != "no" for finding in self.findings)

    def found(self, what: str, ok: bool | None, words: str) -> None:
        """Add a finding about *what*, explained in *words*; *ok* is None if it could not be observed."""
        self.findings.append(Finding(what, "unknown" if ok is None else "yes" if ok else "no", words))


async def check_model(config: ModelConfig, environ: Mapping[str, str]) -> Check:
    """Return the findings of three short conversations with a model; *environ* holds its API key.

    If no proper reply comes in the first, it is the only one. Raises ConfigError for a row with `replay` and for a
    model that cannot be opened, and ProviderError if the provider refuses to work at all.
    """
    if isinstance(config, Gemini) and config.replay is not None:
        raise ConfigError(
            f"model {config.model}: its row repeats a published experiment (key `replay`), which has no tools and its "
            "own form of reply, so that it cannot be checked; check a row without `replay`"
        )
    check = Check()
    seen, code, unfolded = _digits(), _digits(), _digits()
    async with open_model(config, environ=environ) as chat:
        off = Condition("off", ())
        first = await answer(_question("check_picture", seen), off, chat, _LIMITS)
        check.usage = check.usage + first.usage
        check.versions = first.model_versions
        _reachable(check, first, config)
        if first.outcome.infrastructure:
            return check
        check.found(
            "sees the image",
            seen in _only_digits(first.response),
            f"the image shows {seen}, the reply was {_shown(first)}",
        )
        tool = Condition("check", (_unfold(code, unfolded),))
        second = await answer(_question("check_tool", "0000"), tool, chat, _LIMITS)
        check.usage = check.usage + second.usage
        _tools(check, second, code, unfolded)
    reported = check.usage.model_calls - check.usage.unreported
    words = f"{reported} of {check.usage.model_calls} replies state their token counts"
    check.found("reports usage", check.usage.unreported == 0, words)
    await _settings(check, config, environ)
    return check


def _reachable(check: Check, first: Answer, config: ModelConfig) -> None:
    versions = ", ".join(first.model_versions) or "does not say which model it is"
    ok = not first.outcome.infrastructure
    check.found("reachable", ok, f"answers as: {versions}" if ok else f"{config.model}: {first.detail}")


def _tools(check: Check, second: Answer, code: str, unfolded: str) -> None:
    calls = [call for call in second.trace.tool_calls if call.ok]
    said = _only_digits(second.response)
    words = f"unfold was called {plural(len(calls), 'time')}" if calls else f"no readable call; {_why(second)}"
    check.found("calls tools", bool(calls), words)
    if not calls:
        check.found("reads what tools return", None, "no tool was called")
        check.found("gets images back from tools", None, "no tool was called")
        return
    check.found("reads what tools return", code in said, f"the code is {code}, the reply was {_shown(second)}")
    words = f"the tool's image shows {unfolded}, the reply was {_shown(second)}"
    check.found("gets images back from tools", unfolded in said, words)


async def _settings(check: Check, config: ModelConfig, environ: Mapping[str, str]) -> None:
    """Add the finding whether the limit of output tokens is obeyed: the only setting whose effect can be observed."""
    if not hasattr(config, "max_output_tokens"):
        check.found("honours the settings", None, "this kind of model has no limit of output to try")
        return
    async with open_model(config.model_copy(update={"max_output_tokens": SHORT}), environ=environ) as chat:
        third = await answer(_question("check_length", "0000"), Condition("off", ()), chat, _LIMITS)
    check.usage = check.usage + third.usage
    if third.outcome.infrastructure or third.usage.unreported:
        check.found("honours the settings", None, f"{third.outcome.value}: {third.detail or 'no usage reported'}")
        return
    words = f"asked for {SHORT} tokens of output at most, it used {third.usage.output}"
    check.found("honours the settings", third.usage.output <= SHORT, words)


def _question(template: str, digits: str) -> Question:
    image = grey_slice(digits_picture(digits), Spacing(1.0, 1.0))
    return Question(template=template, image=image, description="", label=None, landmarks=())


def _digits() -> str:
    """Return four random digits, new for each check, so that a model can only have read them from the image."""
    return str(1000 + secrets.randbelow(9000))


def _only_digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


def _shown(given: Answer) -> str:
    text = " ".join(given.response.split())
    return repr(text[:80]) if text else f"empty ({given.outcome.value})"


class _UnfoldArguments(Arguments):
    which: str = Field(default="note", description="What to unfold: always note")


class _Unfolded(Result):
    code: str


def _why(given: Answer) -> str:
    """Return why the model called no tool, in the service's own words if it refused, with advice on what helps."""
    advice = "set tool_calling: text"
    if given.outcome in {Outcome.ANSWERED, Outcome.NO_ANSWER}:
        return f"the reply was {_shown(given)}"
    return given.detail if advice in given.detail else f"{given.detail}; or {advice}"


def _unfold(code: str, digits: str) -> Tool:
    def unfold(views: ViewSet, args: _UnfoldArguments) -> Output:  # noqa: ARG001 - every tool's signature
        return Output(_Unfolded(code=code), Picture(digits_picture(digits), "the note, unfolded"))

    description = "Unfold a note: returns a code, and a picture that shows digits."
    return Tool("unfold", description, _UnfoldArguments, unfold)
