"""Questions in MedVision's own words: each text comes from a function of ``medvision-bm``, installed by the user.

Contract: nothing of upstream is copied, imported here or stored but the texts that a run sends. The package runs in a
separate process (``agent/upstream/lend.py``), so that its imports and pinned versions do not affect this program. Texts
are limited in length. Raises ConfigError if the package is missing or has no words for a question.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from medvision_agent.errors import ConfigError

__all__ = ["Asked", "Kind", "Lent", "lent"]

Kind = Literal[
    "BoxCoordinate",
    "BoxCoordinate_CoT",
    "TumorLesionSize",
    "TumorLesionSize_CoT",
    "BiometricsFromLandmarks",
    "BiometricsFromLandmarks_CoT",
]
"""Upstream's name of a kind of question: direct, or with the steps of the reasoning (CoT)."""
_SECONDS = 3600
_MOST_CHARACTERS = 20_000
_LINE = 200_000
_FIELDS = {"package", "version", "sha256"}
_WHERE = (
    "--words upstream takes the prompts from MedVision's package: install medvision-bm and medvision_ds as MedVision's "
    "documentation says, and name the Python of that environment by --upstream-python where it is another than this one"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What MedVision's package is given to word one question. Sizes are (height, width)."""

    sample: str
    """The sample's id, for errors."""
    kind: Kind
    row: Mapping[str, Any]
    """The row of upstream's dataset."""
    task: Mapping[str, Any]
    """The task's entry in upstream's plan, as far as the question needs it."""
    native_hw: tuple[int, int]
    """Pixels of the slice as it is stored."""
    spacing_hw: tuple[float, float]
    """Millimeters per pixel of the slice as it is stored."""
    shape_hw: tuple[int, int]
    """Pixels of the image that is sent; some runs resample it."""
    canvas_hw: tuple[int, int]
    """Pixels that the model perceives, padding included."""
    content_hw: tuple[int, int]
    """Perceived pixels that show the image, without padding."""


@dataclass(frozen=True, eq=False)
class Lent:
    """The questions of a run in the words of MedVision's package."""

    texts: Mapping[str, str]
    """Texts by the sample's id."""
    origin: Mapping[str, str]
    """Package, version, and hash of the files that the texts come from."""

    @property
    def sha256(self) -> str:
        """Hash over all texts, by the sample's id."""
        digest = sha256()
        for name, text in sorted(self.texts.items()):
            digest.update(f"{name}\0{text}\0".encode())
        return digest.hexdigest()


def lent(questions: Iterable[Asked], python: Path | None = None) -> Lent:
    """Return every question in upstream's words; *python* is the interpreter that has the package, else this one.

    Raises ConfigError where the interpreter or the package fails, and where the package has no text for a question.
    """
    with TemporaryDirectory(prefix="medvision-agent-") as home:
        program, asked, told = (Path(home) / name for name in ("lend.py", "asked.jsonl", "told.jsonl"))
        # Copied to an empty folder: Python imports from a program's folder first, and this one has other modules.
        shutil.copyfile(Path(__file__).with_name("lend.py"), program)
        names = list(_written(questions, asked))
        # Not resolved: the link in an environment's folder is what makes it that environment.
        own = str(python.absolute()) if python else sys.executable
        _run([own, str(program), str(asked), str(told)], home)
        return _read(told, names, own)


def _written(questions: Iterable[Asked], to: Path) -> Iterator[str]:
    """Write the questions to a file, and yield the ids of their samples."""
    with to.open("w", encoding="utf-8") as lines:
        for question in questions:
            lines.write(json.dumps(asdict(question)) + "\n")
            yield question.sample


def _run(words: list[str], home: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the user names
            words, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise ConfigError(f"--upstream-python {words[0]}: cannot be started ({error.strerror}). {_WHERE}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{words[0]}: MedVision's package gave no prompts in {_SECONDS} seconds. {_WHERE}") from None
    if done.returncode:
        last = " ".join(done.stderr.decode("utf-8", "replace").split())[-300:]
        raise ConfigError(f"{words[0]}: MedVision's package ended with status {done.returncode}: {last}. {_WHERE}")


def _read(path: Path, names: list[str], python: str) -> Lent:
    """Return the texts that the program wrote; raises ConfigError if any is missing, too long or empty."""
    if not path.exists():
        raise ConfigError(f"{python}: the program that asks MedVision's package for prompts wrote nothing. {_WHERE}")
    with path.open(encoding="utf-8") as lines:
        origin = _object(lines.readline(_LINE))
        if set(origin) != _FIELDS:
            raise ConfigError(
                f"MedVision's package cannot be used here ({origin.get('missing', 'no version')}). {_WHERE}"
            )
        package = f"{origin['package']} {origin['version']}"
        texts, same = dict[str, str](), dict[str, str]()
        for name in names:
            told = _object(lines.readline(_LINE))
            text = told.get("text", "")
            if not text.strip() or len(text) > _MOST_CHARACTERS or "\0" in text:
                why = told.get("error") or f"expected a text of at most {_MOST_CHARACTERS:,} characters"
                raise ConfigError(
                    f"--words upstream: {package} gives no prompt for sample {name!r} ({why}); leave out this sample, "
                    "or leave out --words upstream"
                )
            texts[name] = same.setdefault(text, text)  # most boxes of a label share their text
    return Lent(texts, origin)


def _object(line: str) -> dict[str, str]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
