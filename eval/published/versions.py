"""The published results of vision-language models, version by version: figures as printed, and how they were made.

Contract: a figure is stored as the printed text. Every version states the source of its figures, how its models were
asked and scored, and what the figures measure. A run is compared with the version whose recipe it used.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.tasks import Family
from medvision_agent.frozen import Frozen

__all__ = ["VERSIONS", "About", "Row", "Table", "Version", "version_named", "version_of", "versions"]

VERSIONS = ("preprint-v1", "leaderboard-v2")
"""The versions, oldest first; the last is MedVision's web page at the time it was read."""


class Row(Frozen):
    """The figures of one model in a published table, as printed."""

    model: str
    """As printed."""
    models: tuple[str, ...]
    """The matching rows in the catalogue of models."""
    code: bool = False
    """Whether the model had its provider's code execution."""
    figures: dict[str, tuple[str, ...]]
    """By part of the table, in column order."""


class Table(Frozen):
    """One published table, with the texts of its cells as printed."""

    number: int
    family: Family
    title: str
    note: str
    """Describes its columns and their units."""
    parts: dict[str, str | None]
    """Its groups of columns, with the stated number of samples; None if none is stated."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class About(Frozen):
    """A description in words of how a version's figures were made.

    The fields say which tools the models had, which samples and annotations were used, what the metrics measure, and
    how fine-tuned models were trained.
    """

    tools: str
    samples: str
    annotations: str
    metrics: str
    fitted: str


class Version(Frozen):
    """One published set of results: its tables, and how its models were asked and scored."""

    name: str
    title: str
    source: str
    recipe: str
    form: str
    protocol: str
    annotations: str
    """The release of the annotations that were used."""
    about: About
    tables: tuple[Table, ...]

    def rows_of(self, model: str, family: Family, *, code: bool = False) -> Iterator[tuple[Table, Row]]:
        """Yield the published rows of a model with their tables, for one family of tasks.

        *model* is the model's name in the catalogue. With *code*, they are the rows with the provider's code execution.
        """
        for table in self.tables:
            if table.family == family:
                yield from ((table, row) for row in table.rows if model in row.models and row.code == code)


@cache
def version_named(name: str) -> Version:
    """Return the version of the published results called *name*; raises ConfigError for an unknown name."""
    if name not in VERSIONS:
        known = ", ".join(VERSIONS)
        raise ConfigError(
            f"there is no version {name!r} of the published results; known: {known}.{nearest(name, VERSIONS)}"
        )
    text = (files("medvision_agent.eval.published") / f"{name}.json").read_text(encoding="utf-8")
    return Version.model_validate(json.loads(text))


def versions() -> list[Version]:
    """Return all versions of the published results, oldest first."""
    return [version_named(name) for name in VERSIONS]


def version_of(identity: Identity) -> Version:
    """Return the version whose models were asked most like a run: with the same recipe and form, or else recipe.

    If several fit equally well, or none does, the newest of them.
    """
    every = versions()
    same = [one for one in every if one.recipe == identity.recipe]
    exact = [one for one in same if one.form == identity.form]
    return (exact or same or every)[-1]
