"""Stored runs that were damaged: each is refused or named in words, or reads as it did before. None passes in silence.

A run that was finished and one that was killed are copied, damaged, verified, scored, explained and resumed. Where
``verify`` finds nothing, everything must be what it was: random bits may fall where nothing is stored.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

from click.testing import CliRunner

from matrix.children import run
from matrix.damages import BITS, EDITS, FILES, LOGS, Damages
from matrix.kills import Undisturbed, undisturbed
from matrix.row import Row, seeded
from matrix.stored import answers, stored
from medvision_agent.cli.main import cli
from medvision_agent.errors import MedVisionAgentError

READERS = ("verify", "score", "why")
REFUSED = 2
KINDS = {"bits that turn": BITS, "files": FILES, "careless edits": EDITS, "beside a killed run": LOGS}


@dataclass(frozen=True)
class Base:
    """A run before it is damaged, and what is read of it then."""

    folder: Path
    said: dict[str, str]
    """What each reader prints."""
    done: dict
    """The hashes of what the store acknowledged (``stored.py``)."""


def matrix(folder: Path, seed: int, times: int) -> list[Row]:
    """Damage a stored run in each way *times* times."""
    case = undisturbed("run", 8, folder / "case")
    place = folder / "run"
    made = {"finished": folder / "case" / "out", "killed": _killed(case, folder)}
    bases = [_base(folder / name, out, place) for name, out in made.items()]
    rows = []
    for kind, ways in KINDS.items():
        row = Row("damage", kind, "damaged runs")
        for name, damages in ways.items():
            for number in range(times):
                rng = seeded(seed, name, number)
                base = bases[1] if ways is LOGS else rng.choice(bases)
                with row.trial(f"{name} {number}, {base.folder.name}"):
                    _try(row, f"{name} {number}, {base.folder.name}", base, damages, rng, case, place)
        rows.append(row.done())
    return rows


def _killed(case: Undisturbed, folder: Path) -> Path:
    """Return a run whose process was killed between two samples, when half of them were stored."""
    place = folder / "child"
    place.mkdir(parents=True)
    kill = (("before BEGIN", case.points["before BEGIN"] // 2, "kill"),)
    assert run(case.plan(place, "killed", triggers=kill)).code == -9
    return place / "out"


def _base(folder: Path, made: Path, place: Path) -> Base:
    shutil.copytree(made, folder)
    shutil.copytree(folder, place, dirs_exist_ok=False)
    said = {name: _command(name, place)[1] for name in READERS}
    done = {key[1:]: hashes for key, hashes in stored(place).items()}
    shutil.rmtree(place)
    return Base(folder, said, done)


def _command(*words: object) -> tuple[int, str]:
    """Run a command in this process, return its exit code and output, and raise what would be a traceback."""
    done = CliRunner().invoke(cli, [str(word) for word in words])
    if isinstance(done.exception, MedVisionAgentError):
        return REFUSED, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def _try(row: Row, what: str, base: Base, damages: Damages, rng: Random, case: Undisturbed, place: Path) -> None:
    shutil.copytree(base.folder, place)
    try:
        damages(place, rng)
        _read(row, what, base, case, place)
    finally:
        shutil.rmtree(place)


def _read(row: Row, what: str, base: Base, case: Undisturbed, place: Path) -> None:
    named = False
    for name in READERS:
        code, said = _safely(row, f"{what}: {name}", name, place)
        if name == "verify":
            named = code != 0
        if code == 0 and said != base.said[name]:
            row.fault("changed", f"{what}: {name} says {said[:150]!r}")
        if code not in {0, REFUSED} and not (name == "verify" and code == 1):
            row.fault("mistyped", f"{what}: {name} ended with {code}: {said[-150:]}")
    code, said = _safely(row, f"{what}: resume", *case.arguments, "--out", place, "--resume")
    if code == REFUSED:
        return
    if code != 0:
        row.fault("mistyped", f"{what}: resume ended with {code}: {said[-150:]}")
        return
    verified, said = _safely(row, f"{what}: verify after resume", "verify", place)
    if named and verified == 0:
        row.fault("changed", f"{what}: resumed, and verify no longer finds it: {said[:150]}")
    if not named:
        _whole(row, what, base, case, place)


def _whole(row: Row, what: str, base: Base, case: Undisturbed, place: Path) -> None:
    """Hold a run that was resumed without a word against the undisturbed one."""
    now = {key[1:]: hashes for key, hashes in stored(place).items()}
    lost = sorted(base.done.keys() - now.keys())
    row.fault("lost", f"{what}: {lost[:3]}", len(lost))
    changed = [key for key in base.done.keys() & now.keys() if base.done[key] != now[key]]
    row.fault("changed", f"{what}: {changed[:3]}", len(changed))
    found = {key[1]: value for key, value in answers(place).items()}
    different = [key for key, value in case.answers.items() if found.get(key[1]) != value]
    row.fault("changed", f"{what}: answers of {different[:3]}", len(different))


def _safely(row: Row, what: str, *words: object) -> tuple[int, str]:
    """Run a command; whatever is no error of ours would have been a traceback."""
    try:
        return _command(*words)
    except Exception as error:  # noqa: BLE001 - it is what is looked for
        row.fault("mistyped", f"{what}: a traceback: {error!r}"[:300])
        return REFUSED, ""
