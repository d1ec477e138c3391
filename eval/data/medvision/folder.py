"""The data folder: its datasets and plans, the plan that a version selects, and paths that must stay inside.

A version is a ceiling: each dataset and kind uses its newest plan at or below it. Without one the newest is used.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.configs import Kind

__all__ = ["DataFolder", "PlanFile", "parse_version"]

RELEASES = ("1.0.0", "1.1.0", "1.1.1", "1.2.0", "1.2.1", "1.3.0", "1.4.0")
"""Published versions of the annotations; 1.0.0 is the leaderboard's."""
KINDS: tuple[Kind, ...] = ("detection", "biometry", "segmentation")
_PLAN = re.compile(r"benchmark_plan_(detection|biometry|segmentation)_v(\d+\.\d+\.\d+)\.json\.gz")
_AGAIN = "download the data of this dataset again"
Version = tuple[int, int, int]


def parse_version(text: str) -> Version:
    """Return a version such as ``1.2.0`` as three numbers; raises ConfigError for any other form."""
    if not re.fullmatch(r"\d{1,6}\.\d{1,6}\.\d{1,6}", text):
        published = ", ".join(RELEASES)
        raise ConfigError(
            f"--annotations {text}: is not a version of MedVision's annotations; expected three numbers with dots, as "
            f"in the published versions {published}"
        )
    major, minor, patch = map(int, text.split("."))
    return major, minor, patch


@dataclass(frozen=True, slots=True)
class PlanFile:
    """One annotation plan of the data folder: its path, dataset, kind (such as detection) and version."""

    path: Path
    dataset: str
    kind: Kind
    version: str


@dataclass(frozen=True)
class DataFolder:
    """A data folder of MedVision, which contains ``Datasets/<dataset>/benchmark_plan_*.json.gz``; else DataError."""

    root: Path

    def __post_init__(self) -> None:
        if not (self.root / "Datasets").is_dir():
            inner = next((p.parent for p in (self.root / "Data" / "Datasets", self.root) if p.name == "Datasets"), None)
            hint = f"; did you mean medvision:{inner}?" if inner and (inner / "Datasets").is_dir() else ""
            lacks = "contains no folder 'Datasets'" if self.root.is_dir() else "there is no such folder"
            raise DataError(
                f"{self.root}: {lacks}; give the folder that MedVision's downloader fills, which contains "
                f"Datasets/<dataset>/benchmark_plan_*.json.gz (docs/data.md){hint}"
            )

    @cached_property
    def real(self) -> Path:
        """The folder's real path, with symbolic links resolved."""
        return self.root.resolve()

    @cached_property
    def all_plans(self) -> Sequence[PlanFile]:
        """Every plan of every version, sorted by dataset, then kind, then version."""
        found = []
        for path in (self.root / "Datasets").glob("*/benchmark_plan_*.json.gz"):
            if match := _PLAN.fullmatch(path.name):
                kind = next(kind for kind in KINDS if kind == match[1])
                found.append(PlanFile(path, path.parent.name, kind, match[2]))
        return sorted(found, key=lambda plan: (plan.dataset, KINDS.index(plan.kind), parse_version(plan.version)))

    def plans(self, version: str | None = None) -> Iterator[PlanFile]:
        """Yield, for each dataset and kind, the newest plan up to *version*; without *version*, the newest plan.

        Raises ConfigError for a version that is neither published nor in the folder.
        """
        if version is not None:
            self._check_known(version)
        newest: dict[tuple[str, Kind], PlanFile] = {}
        for plan in self.all_plans:
            if version is None or parse_version(plan.version) <= parse_version(version):
                newest[plan.dataset, plan.kind] = plan
        yield from newest.values()

    def file(self, name: str | None, place: str, *, below: str = "") -> Path:
        """Return the path of the file *name* in the folder *below*, itself relative to the data folder.

        Raises DataError for a missing file, and for a path or a link that leads out of the data folder. The message
        begins with *place*: the plan, the case and the field that name the file.
        """
        start = self.root / below
        pure = PurePosixPath(name or "")
        if not name or pure.is_absolute() or ".." in pure.parts or "\\" in name or "\0" in name:
            raise DataError(
                f"{place}: {name!r} is not allowed; expected the path of a file below {start}, without '..'; {_AGAIN}"
            )
        path = start / name
        try:
            inside = path.resolve(strict=True).is_relative_to(self.real)
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            reason = getattr(error, "strerror", None) or "a loop of links"
            raise DataError(f"{place}: {path} cannot be read ({reason}); {_AGAIN}") from None
        if not inside:
            raise DataError(f"{place}: {path} is a link that leads out of {self.root}; copy the file into the folder")
        if not path.is_file():
            raise DataError(f"{place}: {path} is a folder or a device; expected a file; {_AGAIN}")
        return path

    def _check_known(self, version: str) -> None:
        known = {*RELEASES, *(plan.version for plan in self.all_plans)}
        parse_version(version)
        if version not in known:
            listed = ", ".join(sorted(known, key=parse_version))
            raise ConfigError(
                f"--annotations {version}: there is no such version of MedVision's annotations; known: {listed}"
            )
