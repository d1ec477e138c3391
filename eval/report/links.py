"""Links of a report into the bundle of the viewer that was written beside it: tables of samples, sorted and filtered.

The names of the settings in these addresses are those of the viewer's page (``viewer/src/route.ts`` and what reads it).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from medvision_agent.eval.report.model import Chapter

__all__ = ["Links", "Place", "Viewer"]


@dataclass(frozen=True)
class Place:
    """What the viewer's page calls a run."""

    run: str
    """The key of the run."""
    study: str
    """The key of its study; empty for a run by itself."""
    arm: str
    """The arm of the study; empty for a run by itself."""


@dataclass(frozen=True)
class Viewer:
    """A bundle that a page links into."""

    url: str = ""
    """Of its page, relative to the report's; empty where there is no bundle."""
    places: Mapping[Path, Place] = field(default_factory=dict)
    """By the resolved folder of each run."""


class Links:
    """The links of a chapter; each is empty where there is no bundle, or it does not hold the runs."""

    def __init__(self, viewer: Viewer, chapter: Chapter) -> None:
        self._url, self._study = viewer.url, chapter.kind == "study"
        self._source = chapter.source if chapter.label else ""
        self._arms, self._places = chapter.arms, dict[str, Place]()
        for run in chapter.runs:
            place = viewer.places.get(Path(run.folder).resolve())
            if place is not None and not (self._study and not place.study):
                self._places.setdefault(run.of, place)

    def pair(self, arm: str, against: str, task: str = "") -> str:
        """Return the samples of two arms, those first in which *arm* is worst against the other."""
        return self._to([against, arm], arm=arm, against=against, task=task, sort="difference")

    def one(self, arm: str, task: str = "") -> str:
        """Return the samples of one arm, those with the largest losses first."""
        return self._to([arm], arm=arm, task=task, sort="loss")

    def every(self, task: str = "") -> str:
        """Return the samples of all arms."""
        return self._to(self._arms, task=task)

    def _to(self, arms: Sequence[str], *, arm: str = "", against: str = "", task: str = "", sort: str = "") -> str:
        if not self._url or not arms or not all(one in self._places for one in arms):
            return ""
        places = [self._places[one] for one in arms]
        if self._study:
            scope = {"study": places[0].study, "source": self._source}
        else:
            scope = {"runs" if len(places) > 1 else "run": ",".join(place.run for place in places)}
        names = {"arm": self._name(arm), "against": self._name(against) or ("none" if arm else "")}
        wanted = {**scope, **names, "task": task, "sort": sort}
        return f"{self._url}#/samples?{urlencode({name: text for name, text in wanted.items() if text}, safe=',')}"

    def _name(self, arm: str) -> str:
        place = self._places.get(arm)
        return "" if place is None else place.arm if self._study else place.run
