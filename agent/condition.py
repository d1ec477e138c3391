"""Conditions: which tools and controls an arm has. Arms of a study differ in nothing else.

``off``: no tools. ``on``: the newest set of shipped tools and those of the user's file; ``on@2026-11``: the set of that
month. ``NAME,NAME``: tools by name, always in the registry's order; ``on,NAME``: a set and more. ``NAME@VARIANT``: a
tool that outlines in another way, hidden from the model. ``code``: no shipped tools, only the provider's code
execution. ``upstream``: MedVision's own protocol of two phases, at most one call of ``execute_python`` and the answer.

Controls (see ``control.py``): ``blind``, ``blind:numbers``, ``blind:pictures``, ``same-region``, ``blank`` and
``misled`` change what comes back from all tools, or from those named after a slash (``blind/crop,ruler``).
``again:N`` has no tools and asks N times to check the answer: it shows the effect of extra turns alone.

In studies only, built from another arm's answers to the same samples: ``matched`` and ``matched:mean`` combine as many
answers without tools as cost what the other arm spent; ``matched:thinking`` gets the same budget of thinking tokens;
``matched:enlarged`` is shown the image with as many pixels; ``result-only`` hands back what the other arm's tools
returned.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

from medvision_agent.agent.control import Control, control_named
from medvision_agent.agent.grammars.grammar import Declared, Grammar
from medvision_agent.agent.made import ENLARGED, MADE, MATCHED, RESULT_ONLY, THINKING
from medvision_agent.errors import ConfigError
from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Tool
from medvision_agent.tools.registry import Registry, installed
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.view.frames import MEDVISION, Frame

__all__ = ["Condition"]


UPSTREAM = "upstream"
"""MedVision's own tool protocol."""
_MOST_TIMES = 20
_RESULTS_OPEN = render("replies/tool_output")
"""The start of a message with tool results, as the shipped tool paragraphs announce it."""


@dataclass(frozen=True, eq=False)
class Condition:
    """The condition of an arm: its name, its tools and its control."""

    name: str
    tools: tuple[Tool, ...]
    provider_code: bool = False
    """Whether the provider runs code that the model writes, on the provider's machine."""
    control: Control | None = None
    """Changes the tools' replies before the model gets them; None: replies pass unchanged."""
    again: int = 0
    """Number of times the model is asked to check its answer."""
    overlays: bool = True
    """Whether the model is shown the pictures that tools draw of their measurements."""
    paragraph: str = "tools"
    """Name of the template of the tool paragraph in the prompt."""
    tool_set: str = ""
    """The month of the set of tools that ``on`` stands for; empty where tools are chosen by name, or there are none."""
    calls: int | None = None
    """Maximum number of tool calls before the answer, below the general limits; None: only the limits apply."""
    made: bool = False
    """Whether the arm is built from another arm's answers to the same samples."""

    @classmethod
    def parse(cls, text: str, registry: Registry | None = None) -> "Condition":
        """Return the condition written as *text*, by the rules at the top of this file.

        *registry* has the tools that can be named; by default, the shipped ones and those of installed packages. Raises
        ConfigError for unknown names, and for a combination that is not possible: two controls, a control without
        tools, or tools beside an arm that is made from another arm's answers.
        """
        if text in {"off", "code", *MADE}:
            return cls(text, (), provider_code=text == "code", made=text in MADE)
        if text == UPSTREAM:
            return cls(text, (registry or installed()).select(("execute_python",)), calls=1)
        _check_alone(text)
        if text == "again" or text.startswith("again:"):
            times = _times(text)
            return cls(f"again:{times}", (), again=times)
        first, slash, rest = text.partition("/")
        if (control := control_named(first)) is not None:
            chosen = cls.parse(rest or "on", registry)
            if chosen.control is not None:
                raise ConfigError(
                    f"--tools {text}: {control.name} and {chosen.control.name} are both controls, and an arm can have "
                    "only one; leave one out"
                )
            if not chosen.tools:
                raise ConfigError(
                    f"--tools {text}: {control.name} changes what tools return, and {rest} has no tools; give "
                    f"{control.name} for all tools, or name some: {control.name}/crop,ruler"
                )
            name = f"{control.name}/{chosen.name}" if slash else control.name
            return replace(chosen, name=name, control=control)
        choice = (registry or installed()).choose(text)
        return cls(choice.name, choice.tools, tool_set=choice.tool_set)

    @property
    def matched(self) -> bool:
        """Whether several answers are drawn for every sample and combined into one."""
        return self.name in MATCHED

    @property
    def thinks(self) -> bool:
        """Whether the model may use as many thinking tokens as another arm spent."""
        return self.name == THINKING

    @property
    def enlarges(self) -> bool:
        """Whether the image is enlarged to the number of pixels that another arm was shown."""
        return self.name == ENLARGED

    @property
    def hands_back(self) -> bool:
        """Whether the results of another arm's tools stand beside the question."""
        return self.name == RESULT_ONLY

    @property
    def told_truth(self) -> tuple[str, ...]:
        """Names of the tools (with their variant) that answer from the ground truth."""
        return tuple(tool.label for tool in self.tools if tool.variant is not None and tool.variant.of is not None)

    def with_truth(self, truth: Truth | None) -> "Condition":
        """Return the condition for one sample: its tools with variant `oracle` or `noise` answer from *truth*.

        Unchanged if *truth* is None.
        """
        return self if truth is None else replace(self, tools=tuple(tool.told(truth) for tool in self.tools))

    def shown(self, *, overlays: bool, paragraph: str) -> "Condition":
        """Return the condition with its tools presented as *overlays* and *paragraph* say; unchanged without tools.

        *overlays*: whether tools draw their measurements in pictures. *paragraph*: the template of the text about
        tools.
        """
        if not self.tools:
            return self
        tools = self.tools if overlays else tuple(tool.without_overlay() for tool in self.tools)
        return replace(self, tools=tools, overlays=overlays, paragraph=paragraph)

    def shuffled(self, draw: str) -> "Condition":
        """Return the condition with its tools in a random order that depends only on *draw*, a seed, and their names.

        So tools that two conditions share stand in the same order in both.
        """
        tools = sorted(self.tools, key=lambda tool: sha256(f"{draw}\0{tool.name}".encode()).digest())
        return replace(self, tools=tuple(tools))

    def schemas(self, frame: Frame = MEDVISION) -> list[dict[str, Any]]:
        """Return the declarations of the tools, in order, for a model that answers in *frame*.

        For equal frames it is always the same list, which callers must not change.
        """
        if frame.name not in self._declared:
            self._declared[frame.name] = [tool.schema(frame) for tool in self.tools]
        return self._declared[frame.name]

    @cached_property
    def _declared(self) -> dict[str, list[dict[str, Any]]]:
        return {}

    def told(self, grammar: Grammar | None, frame: Frame = MEDVISION, render: Callable[..., str] = render) -> str:
        """Return the paragraph of the prompt about the tools or the provider's code execution; "" if there is neither.

        With *grammar*, which writes tool calls in text, the paragraph also declares the tools. *frame* is the model's
        coordinate convention. *render* renders a template by its name.
        """
        names = [tool.name for tool in self.tools]
        filled = partial(render, names=names, paragraph=self.paragraph)
        if self.provider_code:
            return filled("tools_code")
        if not names:
            return ""
        about = filled(self.paragraph)
        if grammar is None:
            return about
        about = about.replace(f'"{_RESULTS_OPEN}"', f'"{grammar.opens}"')
        return grammar.paragraph(Declared(names, self.schemas(frame), about, filled))

    def _told_besides(self, grammar: Grammar | None, frame: Frame) -> str:
        """Return the paragraph about the tools, or, for ``result-only``, about the results that are handed back."""
        return render("replies/handed_back") if self.hands_back else self.told(grammar, frame)

    def identity(self, grammar: Grammar | None = None, frame: Frame = MEDVISION) -> dict[str, Any]:
        """Return the part of a run's identity that the condition defines: what two arms of a comparison may differ in.

        *grammar* is that of a model that writes tool calls in text, else None; *frame* is its coordinate convention.
        """
        names = [tool.name for tool in self.tools]
        return {
            **({"provider_code": True} if self.provider_code else {}),
            "condition": self.name,
            "control": self.control.name if self.control else "",
            "again": self.again,
            "tools": names,
            "tool_set": self.tool_set,
            "tool_code_sha256": {tool.name: tool.code_sha256 for tool in self.tools if tool.code_sha256},
            "tool_variants": {
                tool.name: {"variant": tool.variant.name, **tool.variant.origin} for tool in self.tools if tool.variant
            },
            "told_truth": self.told_truth,
            "overlays": self.overlays if names else None,
            "paragraph": self.paragraph if names else None,
            "tool_schemas_sha256": sha256(json.dumps(self.schemas(frame), sort_keys=True).encode()).hexdigest(),
            "tool_paragraph_sha256": sha256(self._told_besides(grammar, frame).encode()).hexdigest(),
        }


def _check_alone(text: str) -> None:
    """Raise ConfigError if an arm built from another arm's answers is misspelt or combined with tools."""
    families = {name.partition(":")[0] for name in MADE}
    named = [part for part in text.replace("/", ",").split(",") if part.strip().lower().partition(":")[0] in families]
    if named:
        raise ConfigError(
            f"--tools {text}: {named[0]} is not a tool and cannot be combined with tools: an arm that is made from "
            f"another arm's answers is one of {', '.join(MADE)}, in a study only (docs/studies.md)"
        )


def _times(text: str) -> int:
    number = text.partition(":")[2]
    if not number.isdecimal() or not 1 <= int(number) <= _MOST_TIMES:
        raise ConfigError(f"--tools {text}: expected again:N with N from 1 to {_MOST_TIMES}, such as again:2")
    return int(number)
