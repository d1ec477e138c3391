"""Find grammars: entry points of the group ``medvision_agent.grammars``, shipped ones included.

An entry point names a class or function without arguments that returns a grammar (``grammar.py``).

Contract: a grammar of another package is tested before it is used (it must parse the calls that it writes), and
any later exception or wrong return value is a ConfigError that names the package.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from medvision_agent.agent.grammars.grammar import Call, CallResult, Declared, Grammar, Parsed
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.models.row import GRAMMARS
from medvision_agent.plugins import Offer

__all__ = ["grammar_named", "grammar_of"]

_T = TypeVar("_T")
_TRIAL = (
    Call("measure", {"view": "v0", "x": 0.25, "count": 2, "text": 'a "quoted" line\nand <another>'}),
    Call("look", {}),
)


def grammar_of(config: ModelConfig) -> Grammar | None:
    """Return the grammar of a model that calls tools in text; None for native function calling."""
    return None if config.text_grammar is None else grammar_named(config.text_grammar)


@cache
def grammar_named(name: str) -> Grammar:
    """Return the grammar called *name*; raises ConfigError if it does not exist or does not work."""
    offer = GRAMMARS.offer(name)
    grammar: Grammar = offer.made()
    return grammar if offer.shipped else _tried(_Watched(grammar, offer))


@dataclass(frozen=True)
class _Watched:
    """A grammar of another package: each return value is checked, and errors name the package."""

    grammar: Grammar
    offer: Offer

    @property
    def opens(self) -> str:
        return self._checked("opens", str, lambda: self.grammar.opens)

    def paragraph(self, tools: Declared) -> str:
        return self._checked("paragraph", str, lambda: self.grammar.paragraph(tools))

    def write(self, calls: Sequence[Call]) -> str:
        return self._checked("write", str, lambda: self.grammar.write(calls))

    def answer(self, results: Sequence[CallResult]) -> str:
        return self._checked("answer", str, lambda: self.grammar.answer(results))

    def read(self, text: str, names: Collection[str]) -> Parsed:
        return self._checked("read", Parsed, lambda: self.grammar.read(text, names))

    def _checked(self, name: str, wanted: type[_T], told: Callable[[], Any]) -> _T:
        try:
            value = told()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever another package's code raises
            raise self.offer.failed(error) from None
        if not isinstance(value, wanted):
            raise self.offer.failed(f"{name} gave a {type(value).__name__} where a {wanted.__name__} is expected")
        return value


def _tried(grammar: _Watched) -> Grammar:
    """Return *grammar* if it reads the calls that it writes and its results start with ``opens``.

    Raises ConfigError otherwise.
    """
    written = grammar.write(_TRIAL)
    read = [(call["name"], call["args"]) for call in grammar.read(f"Look.\n{written}", ("measure", "look")).calls]
    if read != [(call.name, call.arguments) for call in _TRIAL]:
        raise grammar.offer.failed(
            "its method read does not return the same calls that its method write was given; write returned "
            f"{json.dumps(written)[:300]}"
        )
    answered = grammar.answer([CallResult("call_1", "measure", '{"mm": 20.5}', ok=True, picture=[])])
    if not grammar.opens or not answered.startswith(grammar.opens):
        raise grammar.offer.failed(
            f"the text of its method answer must start with its text opens ({grammar.opens!r}), which the prompt "
            f"announces, but it is {answered[:300]!r}"
        )
    if "20.5" not in answered:
        raise grammar.offer.failed(
            f"the text of its method answer does not contain the tool's result: {answered[:300]!r}"
        )
    return grammar
