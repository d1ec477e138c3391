"""Rules of decisions, as data: a measurement, its limits, the categories between them, and their sources.

Contract: a file of rules is a YAML mapping from a rule's name to its fields, as ``shipped.yaml`` is. An error in the
file is a ConfigError that names the file, the rule and the field.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.sample import Asked, Question, Sample
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen, complaint
from medvision_agent.settings_text import read_yaml

__all__ = ["Rule", "names_of", "read_rules", "shipped_rules"]

_SHIPPED = "shipped.yaml"
_MOST_BYTES = 1_000_000


class Rule(Frozen):
    """One decision rule: limits that divide the values of one measurement into categories."""

    name: str = Field(min_length=1)
    task: TaskName
    number: str = ""
    """The number of an answer to use, such as ``major axis``; may be left out if a task asks for one number."""
    names: tuple[str, ...] = Field(min_length=1)
    """Labels or measurements that the rule applies to, in any case; for MedVision's landmark tasks, dataset and key."""
    categories: tuple[str, ...] = Field(min_length=2, max_length=12)
    """Names of the categories, from the lowest values to the highest."""
    limits: tuple[float, ...]
    """Limits between the categories, in mm, degrees or mm2, rising; one fewer than categories."""
    equal_is: tuple[Literal["lower", "upper"], ...] = ()
    """For each limit, the category of a value equal to it; default: the lower one."""
    source: str = Field(min_length=1)
    """Where the limits come from."""
    caution: str = ""
    """A warning of what the category does not mean."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        asked = TASKS[self.task]
        if asked.is_box:
            raise ValueError("decisions are not possible for boxes: task must be size, distance, angle or area")
        if self.number and self.number not in asked.numbers:
            raise ValueError(
                f"number: {self.number!r} is no number of the task {self.task}; expected {' or '.join(asked.numbers)}"
            )
        if not self.number and len(asked.numbers) > 1:
            raise ValueError(
                f"number is missing: the task {self.task} asks for several numbers; name one: "
                f"{' or '.join(asked.numbers)}"
            )
        if len(self.limits) != len(self.categories) - 1:
            raise ValueError(
                f"limits: {len(self.categories)} categories need {len(self.categories) - 1} limits, and "
                f"{len(self.limits)} are given"
            )
        if len(set(self.categories)) < len(self.categories):
            raise ValueError("categories: a name occurs twice; each category needs a different name")
        edges = _edges(self.limits)
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("limits must rise: each must be larger than the one before it")
        if self.equal_is and len(self.equal_is) != len(self.limits):
            raise ValueError(
                f"equal_is needs one word for each limit, lower or upper: {len(self.limits)} words, and "
                f"{len(self.equal_is)} are given"
            )
        return self

    @property
    def unit(self) -> str:
        """The unit of the limits: mm, degrees or mm2."""
        return TASKS[self.task].quantity.unit

    def value(self, numbers: tuple[float, ...]) -> float:
        """Return the one of the *numbers* of an answer or a target that decides the category, in ``unit``."""
        return numbers[TASKS[self.task].numbers.index(self.number) if self.number else 0]

    def category(self, value: float) -> int:
        """Return the index, from 0, of the category of a value in ``unit``; values are compared in float32."""
        edges, own = _edges(self.limits), _rounded(value)
        place = bisect_left(edges, own)
        equal = bisect_right(edges, own) > place
        return place + (equal and bool(self.equal_is) and self.equal_is[place] == "upper")

    def decides(self, asked: Question) -> bool:
        """Return whether the rule applies to a question: task and name (label or measurement) are those of the rule."""
        if asked.task != self.task:
            return False
        own = {name.casefold() for name in self.names}
        return any(name.casefold() in own for name in names_of(asked))

    def said(self) -> str:
        """Return one line of text with the categories and their limits, from low to high."""
        ends = [f"{limit:g} {self.unit}" for limit in self.limits]
        words = self.equal_is or ("lower",) * len(ends)
        parts = [f"{self.categories[0]} {'up to' if words[0] == 'lower' else 'below'} {ends[0]}"]
        for name, end, word in zip(self.categories[1:-1], ends[1:], words[1:], strict=True):
            parts.append(f"{name} {'up to' if word == 'lower' else 'below'} {end}")
        return ", ".join([*parts, f"{self.categories[-1]} {'above' if words[-1] == 'lower' else 'from'} {ends[-1]}"])


def _rounded(value: float) -> float:
    """Return a number rounded to float32, as answers are, so that an answer of 3.3 equals a limit of 3.3."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


@cache
def _edges(limits: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(map(_rounded, limits))


def names_of(asked: Question) -> list[str]:
    """Return the names of what a question asks for: its label, its measurement, and MedVision's dataset and key."""
    keys = asked.medvision_keys if isinstance(asked, Sample | Asked) else ()
    return [name for name in (asked.label or "", asked.measurement, *keys) if name]


def shipped_rules() -> list[Rule]:
    """Return the rules that this program ships (``shipped.yaml``)."""
    return _rules((files("medvision_agent.eval.decisions") / _SHIPPED).read_text("utf-8"), _SHIPPED)


def read_rules(path: Path) -> list[Rule]:
    """Return the rules in a user's file.

    Raises ConfigError that names the file, the rule and the field if the file cannot be read or a rule is invalid.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{path}: larger than {_MOST_BYTES:,} bytes; expected a YAML file of rules")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a YAML file of rules: {error}") from error
    return _rules(text, str(path))


def _rules(text: str, place: str) -> list[Rule]:
    try:
        content = read_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None
    if not isinstance(content, Mapping) or not content:
        raise ConfigError(f"{place}: expected a mapping from names of rules to their fields, as in docs/decisions.md")
    return [_rule(str(name), fields, place) for name, fields in content.items()]


def _rule(name: str, fields: Any, place: str) -> Rule:
    if not isinstance(fields, Mapping):
        raise ConfigError(f"{place}: {name}: expected a mapping of fields, such as task, names, categories and limits")
    try:
        return Rule.model_validate({"name": name, **{str(key): value for key, value in fields.items()}})
    except ValidationError as error:
        raise ConfigError(f"{place}: {name}: {complaint(error, 'rule', of=Rule)}") from None
