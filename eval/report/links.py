"""Links from a report into the viewer's bundle that was written beside it: to tables of samples, and to samples.

The names of settings in these addresses are those of the viewer's page (``viewer/src/route.ts`` and its readers).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from medvision_agent.eval.report.model import Chapter

__all__ = ["Links", "Place", "Viewer"]


@dataclass(frozen=True)
class Place:
    """The names that the viewer's page has for one run: its key, its study, its arm, and its samples."""

    run: str
    """The key of the run."""
    study: str
    """The key of its study; empty for a run outside a study."""
    arm: str
    """Its arm in the study; empty for a run outside a study."""
    samples: frozenset[str] = frozenset()
    """Ids of the samples whose conversations the bundle holds."""


@dataclass(frozen=True)
class Viewer:
    """The viewer's bundle (a page with its data) into which a report links, if one was written."""

    url: str = ""
    """Address of its page, relative to the report; empty without a bundle."""
    places: Mapping[Path, Place] = field(default_factory=dict)
    """The names of each run, by resolved folder."""


class Links:
    """Makes the links of a chapter into the viewer; a link is empty without a bundle, or if it lacks the target."""

    def __init__(self, viewer: Viewer, chapter: Chapter) -> None:
        self._url, self._study = viewer.url, chapter.kind == "study"
        self._source = chapter.source if chapter.label else ""
        self._arms, self._places = chapter.arms, dict[str, Place]()
        for run in chapter.runs:
            place = viewer.places.get(Path(run.folder).resolve())
            if place is not None and not (self._study and not place.study):
                self._places.setdefault(run.of, place)

    def pair(self, arm: str, against: str, task: str = "", **filters: str) -> str:
        """Return the link to the samples of two arms, sorted by how much worse *arm* is than *against*.

        *filters* restrict the samples that are shown, by the page's own names.
        """
        return self._to("samples", [against, arm], arm=arm, against=against, task=task, sort="difference", **filters)

    def one(self, arm: str, task: str = "", **filters: str) -> str:
        """Return the link to the samples of one arm, largest losses first.

        *filters* restrict the samples that are shown, by the page's own names.
        """
        return self._to("samples", [arm], arm=arm, task=task, sort="loss", **filters)

    def every(self, task: str = "") -> str:
        """Return the link to the samples of all arms, of one *task* or of all."""
        return self._to("samples", self._arms, task=task)

    def sample(self, name: str, arm: str, against: str = "", task: str = "", *, on: str = "") -> str:
        """Return the link to the sample *name* in an arm, compared with *against* if given.

        *on* is the arm that is shown in front.
        """
        arms, sort = [*filter(None, [against]), arm], "difference" if against else "loss"
        if not all(name in self._places[one].samples for one in arms if one in self._places):
            return ""
        in_front = self._name(on) if self._study else ""  # the page has its own name for a run outside a study
        return self._to("sample", arms, id=name, arm=arm, against=against, task=task, sort=sort, on=in_front)

    def around(self, arm: str, against: str, task: str, losses: tuple[float, float], step: float) -> str:
        """Return the link to the samples of a task whose losses in two arms are within half a step of *losses*.

        *losses* are those in *against* and in *arm*, in this order.
        """
        first, second = losses
        own = f"{second - step / 2:.4f}..{second + step / 2:.4f}"
        apart = f"{second - first - step:.4f}..{second - first + step:.4f}"
        return self.pair(arm, against, task, **{"in-loss": own, "in-difference": apart})

    def _to(self, page: str, arms: Sequence[str], *, arm: str = "", against: str = "", **settings: str) -> str:
        if not self._url or not arms or not all(one in self._places for one in arms):
            return ""
        places = [self._places[one] for one in arms]
        if self._study:
            scope = {"study": places[0].study, "source": self._source}
        else:
            scope = {"runs" if len(places) > 1 else "run": ",".join(place.run for place in places)}
        names = {"arm": self._name(arm), "against": self._name(against) or ("none" if arm else "")}
        wanted = {**scope, **names, **settings}
        return f"{self._url}#/{page}?{urlencode({name: text for name, text in wanted.items() if text}, safe=',')}"

    def _name(self, arm: str) -> str:
        place = self._places.get(arm)
        return "" if place is None else place.arm if self._study else place.run
