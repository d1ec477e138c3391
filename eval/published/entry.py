"""One model's entry in the tables: a summary of a stored run, or of a model's MedVision result files.

Contract: figures follow the rules of the version they are compared with, unless other rules are requested. An entry has
a published row only if it was asked in the same way: without our tools, with the sample's own image and question.
Answers are not kept in memory.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.errors import DataError
from medvision_agent.eval.published.differences import differences
from medvision_agent.eval.published.figures import Figures, run_sections, section_figures
from medvision_agent.eval.published.strata import READ, Box, Stratum, boxes_of, strata_of
from medvision_agent.eval.published.versions import Row, Table, Version, version_named, version_of
from medvision_agent.eval.results.load import load_answers, models_in, result_files
from medvision_agent.eval.results.notes import Notes
from medvision_agent.eval.results.summary import Section, sections
from medvision_agent.eval.scorer.protocol import Protocol, protocol
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import Family

__all__ = ["Entry", "answers_entries", "run_entry"]

_PLAIN = {"off", "code"}
"""The conditions under which published rows were made."""
_NOT_A_RUN = "made elsewhere; how its samples were asked is known from the names of its files alone"


@dataclass(frozen=True)
class Entry:
    """The figures of one model, asked in one way, with the published row that they are compared with."""

    model: str
    how: str
    """The condition, recipe and form, or the statement that the files were made elsewhere."""
    version: Version
    """The version that it is compared with."""
    rules: str
    """The protocol that its figures follow."""
    figures: Mapping[Family, Mapping[str, Figures]]
    strata: Sequence[Stratum]
    boxes: Sequence[Box]
    published: Mapping[Family, tuple[Table, Row]]
    """The published row of the same model, if there is one."""
    differences: Sequence[str]
    """How the conditions differ from the published ones."""
    notes: Sequence[str] = ()
    """What a reader must know about its files."""


def run_entry(run: Run, version: str | None = None, rules: Protocol | None = None) -> Entry | None:
    """Return the entry of a stored run; None if it has no MedVision samples, or no result.

    *version* names the published results that it is compared with; by default, those whose models were asked most like
    the run. *rules* is the protocol; by default, that of the version. Raises ConfigError for an unknown version, and
    DataError for a run with both splits of a task.
    """
    identity = run.identity
    beside = version_named(version) if version else version_of(identity)
    own = rules or protocol(beside.protocol)
    found = run_sections(run.each(), own, READ)
    if not found:
        return None
    plain = identity.condition in _PLAIN and identity.picture == "own" and identity.display == "plain"
    checkpoint = str(identity.model.get("model") or "")
    names = _rows_of_checkpoint(checkpoint) if checkpoint else _rows_named(identity.model_name)
    how = f"{identity.condition}, {identity.recipe}, {identity.form}"
    how += f", words of {identity.worded_by}" if identity.words_origin else ""
    rows = _rows(beside, names, found, code=identity.provider_code) if plain else {}
    notes = [*_other_model(beside, identity.model_name, checkpoint, names)] if plain else []
    known = _Known(identity.model_name, how, beside, rows, differences(run, own, beside), notes)
    return _entry(known, found)


def answers_entries(
    folder: Path, version: str | None = None, rules: Protocol | None = None, plans: Path | None = None
) -> list[Entry]:
    """Return an entry for each model with MedVision result files in *folder*, at any depth.

    Folders with the same name belong to one model. *version* names the published results that they are compared with;
    without it, file names decide: tasks that end in ``-CoT`` are compared with the leaderboard. *rules* is the
    protocol; by default, that of the version. *plans* is MedVision's data folder, or a JSON file, with facts that the
    result files lack. Raises ConfigError for an unknown version, and DataError for files that cannot be read, or that
    belong to two versions.
    """
    found: dict[str, list[Path]] = {}
    for home in models_in(folder):
        found.setdefault(_name(home), []).append(home)
    return [_of_files(name, homes, version, rules, plans) for name, homes in found.items()]


def _name(home: Path) -> str:
    """Return the name of a model's results: that of the folder that holds its files.

    For a single file it is the name of the file, and for a folder ``parsed`` that of the folder above.
    """
    if home.is_file():
        return home.name
    folder = result_files(home, Notes())[0].resolve().parent
    return (folder.parent if folder.name == "parsed" else folder).name


def _of_files(
    name: str, homes: Sequence[Path], version: str | None, rules: Protocol | None, plans: Path | None
) -> Entry:
    beside = version_named(version or _version_of_files(name, homes))
    own = rules or protocol(beside.protocol)
    loaded = [load_answers(home, own, plans) for home in homes]
    scored = [section for answers, _ in loaded for section in sections(answers, own)]
    families = [section.batch.family for section in scored]
    if len(set(families)) < len(families):
        raise DataError(
            f"{', '.join(map(str, homes))}: several of these folders hold results of the same kind of task (detection, "
            "size, or angles and distances); give one folder for each kind"
        )
    notes = [_NOT_A_RUN, *(note for _, notes in loaded for note in notes)]
    different = [] if own.name == beside.protocol else [f"scoring: {own.name} here, {beside.protocol} there"]
    rows = _rows(beside, _rows_named(name), scored)
    return _entry(_Known(name, "made elsewhere", beside, rows, different, notes), scored)


def _version_of_files(name: str, homes: Sequence[Path]) -> str:
    """Return the name of the version that files are compared with, by their names; DataError if they disagree.

    *name* is the name of the model in the error, and *homes* are its folders or files.
    """
    files = [file for home in homes for file in ([home] if home.is_file() else home.rglob("*_samples_*.jsonl*"))]
    cot = {"-CoT" in file.name for file in files}
    if len(cot) > 1:
        raise DataError(
            f"{name}: tasks that end in -CoT belong to leaderboard-v2, others to preprint-v1, and both are here: "
            "put them into two folders, or choose one with --published-version"
        )
    return "leaderboard-v2" if True in cot else "preprint-v1"


class _Known(NamedTuple):
    """What is known about an entry besides its scores; the fields are those of ``Entry``."""

    model: str
    how: str
    version: Version
    published: Mapping[Family, tuple[Table, Row]]
    differences: Sequence[str]
    notes: Sequence[str] = ()


def _entry(known: _Known, found: Sequence[Section]) -> Entry:
    return Entry(
        **known._asdict(),
        rules=found[0].protocol.name,
        figures={section.batch.family: section_figures(section.summary) for section in found},
        strata=[one for section in found for one in strata_of(section)],
        boxes=[one for section in found for one in boxes_of(section)],
    )


def _rows(
    version: Version, names: Sequence[str], found: Sequence[Section], *, code: bool = False
) -> dict[Family, tuple[Table, Row]]:
    """Return, by family of tasks, a model's published row with its table: the first table of the family that has one.

    *names* are the model's names in the catalogue. *code* says whether the model had its provider's code execution.
    """
    rows: dict[Family, tuple[Table, Row]] = {}
    for section in found:
        family = section.batch.family
        for name in names:
            for table, row in version.rows_of(name, family, code=code):
                rows.setdefault(family, (table, row))
    return rows


def _rows_of_checkpoint(checkpoint: str) -> list[str]:
    """Return the names of all catalogue rows (shipped model settings) that ask this checkpoint; empty if none does."""
    rows = load_catalogue().items()
    return [row for row, config in rows if _plain(str(getattr(config, "model", ""))) == _plain(checkpoint)]


def _rows_named(name: str) -> list[str]:
    """Return the names of catalogue rows whose name or checkpoint is *name*, apart from spelling."""
    return [row for row in load_catalogue() if _plain(row) == _plain(name)] + _rows_of_checkpoint(name)


def _other_model(version: Version, name: str, checkpoint: str, names: Sequence[str]) -> Iterator[str]:
    """Yield a note if a user's row has the name of a row with published figures, but asks another model."""
    own = next((row for row in load_catalogue() if row == name and row not in names), None)
    if own is not None and any(own in row.models for table in version.tables for row in table.rows):
        yield (
            f"a row of your own called {name} asked {checkpoint}, which is not the model of the shipped row; the "
            "published figure of that model is not beside it"
        )


def _plain(name: str) -> str:
    """Return the name of a model without its maker, in lower case and without punctuation, because spellings differ."""
    own = name.rpartition("/")[2]
    maker, _, model = own.partition("__")
    bare = model if own == name and maker and "__" not in model else own
    return re.sub(r"[^a-z0-9]", "", (bare or own).lower())
