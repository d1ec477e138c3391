"""Markups."""

from collections.abc import Iterator
from pathlib import Path

from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Ledger, Question, Scan

__all__ = ["from_markups"]


def from_markups(scan: Scan, files: list[Path], choices: Choices, ledger: Ledger) -> Iterator[Question]:
    yield from ()
