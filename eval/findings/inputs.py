"""From folders to arms and contrasts: which runs belong together, and which of them may be compared.

Contract: runs given one by one are never a declared comparison. Among the runs of one model over one source, the one
without tools (else the first) is compared with each other one that differs from it in nothing but tools (``parity``);
where there is more to it, the comparison is refused and every difference named. A study says itself what it compares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from medvision_agent.agent.made import MATCHED, THINKING
from medvision_agent.agent.reader import Reader
from medvision_agent.errors import DataError
from medvision_agent.eval.compare.card import Card
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION, Evidence, Key
from medvision_agent.eval.data.shared import shared_name, shared_names
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.claims import no_claim_of_pair, unfinished
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ArmIn", "Asks", "ChapterIn", "ContrastIn", "Refused", "evidence_of", "named", "pair_chapter"]
__all__ += ["no_evidence", "runs_chapters"]

_TAKEN = {
    "blind": "what tools return",
    "blind:all": "what tools return",
    "blind:pictures": "pictures that tools return",
    "blind:numbers": "numbers that tools return",
    "same-region": "new detail in pictures",
    "blank": "what pictures of tools show",
}
"""What each control takes from tools, in words."""
Asks = Literal["tools", "models", "arms"]
"""What a contrast asks: what tools do (none in the first arm, some in the second), how models differ, or else."""


class Refused(Frozen):
    """Two arms that are not compared, and why."""

    name: str
    differences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ArmIn:
    """One way of asking; several runs are its epochs, in each wording that was drawn."""

    name: str
    model: str
    runs: tuple[Run, ...]
    drawn: tuple[int, ...] = ()
    """The wording that was drawn for each run; empty where none was."""

    @property
    def first(self) -> Run:
        """The first epoch, of the first wording."""
        return self.runs[0]

    @property
    def wordings(self) -> tuple[int, ...]:
        """The wording of each run, 0 where none was drawn."""
        return self.drawn or (0,) * len(self.runs)

    @property
    def shows_own(self) -> bool:
        """Whether the sample's own image stood with each question."""
        return self.first.identity.picture == "own"

    @property
    def offline(self) -> str:
        """The name of the scripted policy behind it; empty for a model."""
        model = self.first.identity.model
        return str(model.get("name", "")) if model.get("provider") == "offline" else ""


@dataclass(frozen=True, eq=False)
class ContrastIn:
    """Two arms to be paired, B minus A."""

    name: str
    a: ArmIn
    b: ArmIn
    card: Card = field(default_factory=Card)
    """What is known of their parity."""
    declared: bool = False
    no_verdict: str = ""
    """Why it is too early for a verdict; empty where it is not."""
    seen: tuple[frozenset[str], ...] = ()
    """The subjects of each planned look that took place; empty without planned looks."""

    @property
    def identical(self) -> bool:
        """Whether the arms are two identical runs: a repeat."""
        return not any(self.a.first.identity.differences(self.b.first.identity))

    @property
    def asks(self) -> Asks:
        """What the contrast asks."""
        before, after = self.a.first.identity, self.b.first.identity
        if self.a.model != self.b.model:
            return "models"
        free = before.without_tools or before.condition in {*MATCHED, THINKING}
        called = bool(after.tools or after.provider_code) and not after.control
        return "tools" if free and called and before.picture == after.picture else "arms"

    @property
    def control(self) -> str:
        """What the first arm, a control, takes from the tools of the second, in words; a test of trust is none."""
        before, after = self.a.first.identity, self.b.first.identity
        if after.control or not (after.tools or after.provider_code):
            return ""
        return _TAKEN.get(before.control, "") or ("tools beyond more turns" if before.again else "")

    @property
    def no_claim(self) -> tuple[str, ...]:
        """Why a difference says nothing of tools; empty where it may."""
        return no_claim_of_pair(self.a.runs, self.b.runs, (self.a.name, self.b.name))

    @property
    def withheld(self) -> tuple[str, ...]:
        """All reasons why a difference bears no interval and no p-value."""
        return (*self.no_claim, *filter(None, [self.no_verdict]))


@dataclass(frozen=True, eq=False)
class ChapterIn:
    """What one chapter is made of."""

    name: str
    kind: Literal["runs", "study"]
    arms: tuple[ArmIn, ...]
    contrasts: tuple[ContrastIn, ...] = ()
    refused: tuple[Refused, ...] = ()
    alpha: float = 0.05
    margin: float | None = None
    """Differences below it are declared not to matter."""
    evidence: Evidence = "real"
    family: tuple[Key, ...] = ()
    """The declared tests: those of all chapters of a study."""
    primaries: tuple[str, ...] = ()
    """The contrasts whose tests start with all of alpha."""
    metrics: Mapping[TaskName, Primary] = field(default_factory=dict)
    """The declared metric of each task; our loss where there is none."""
    looks: Mapping[TaskName, tuple[int, ...]] = field(default_factory=dict)
    """How many subjects of each task each planned look has."""
    progress: tuple[str, ...] = ()
    """Headlines: why there is no verdict, or which look it is."""
    source: str = ""
    """Of the samples, as a study's tests name it."""
    label: str = ""
    """What comparisons are told apart by, where a study has several sources."""
    reader: Reader | None = None
    """The second reader that a study named before its first call."""
    read_by: Reader | None = None
    """The reader by whose readings answers are scored; None where it is the rule."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """What a study settled before its first call."""
    plan_sha256: str = ""

    def at_end(self, one: ContrastIn) -> bool:
        """Return whether no planned look at a contrast is left: only then are tests made that have no boundaries."""
        return len(one.seen) == max(map(len, self.looks.values()), default=0)

    def name_of(self, one: ContrastIn) -> str:
        """Return what a contrast is called in the report: with its model and its source, where there are several."""
        several = len({contrast.a.model for contrast in self.contrasts}) > 1
        name = f"{one.a.model}: {one.name}" if several and one.a.model not in one.name else one.name
        return f"{name} ({self.label})" if self.label else name


def runs_chapters(folders: Sequence[Path]) -> list[ChapterIn]:
    """Return the chapters of single runs, one for each source of samples."""
    by_source: dict[str, list[Run]] = {}
    for folder in folders:
        run = open_run(folder)
        by_source.setdefault(str(run.config["source"]["name"]), []).append(run)
    names = shared_names(by_source)
    return [_chapter(names[source], runs) for source, runs in by_source.items()]


def evidence_of(runs: Sequence[Run], where: str) -> Evidence:
    """Return what the samples of *runs* can be evidence of; DataError where synthetic images are among taken ones."""
    made = {sample.marks.synthetic for run in runs for sample in run.samples}
    if len(made) > 1:
        raise DataError(f"{where}: synthetic and real samples are mixed; they never share a figure. Report them apart")
    if any(run.config["source"].get("demonstration") for run in runs):
        return "demonstration"
    return "synthetic" if made == {True} else "real"


def no_evidence(run: Run) -> list[str]:
    """Return why nothing of a run has an interval: its data are a demonstration; empty for other data."""
    return [DEMONSTRATION] if evidence_of([run], str(run.folder)) == "demonstration" else []


def pair_chapter(a: Run, b: Run, metrics: Mapping[TaskName, Primary]) -> ChapterIn:
    """Return the chapter of two runs that may be compared, with the declared metric of each task."""
    one, two = named([a, b])
    names = (one.name, two.name)
    contrast = ContrastIn(
        _contrast_name(one, two),
        one,
        two,
        parity_card([(a, b)], names=names),
        no_verdict=unfinished({one.name: a, two.name: b}),
    )
    source = shared_name(str(a.config["source"]["name"]))
    return ChapterIn(
        source,
        "runs",
        (one, two),
        (contrast,),
        evidence=evidence_of([a, b], source),
        metrics=dict(metrics),
        progress=tuple(filter(None, [contrast.no_verdict])),
    )


def _chapter(source: str, runs: Sequence[Run]) -> ChapterIn:
    arms = named(runs)
    contrasts, refused = list[ContrastIn](), list[Refused]()
    for model in dict.fromkeys(arm.model for arm in arms):
        own = [arm for arm in arms if arm.model == model]
        plain = [arm for arm in own if arm.shows_own] or own
        base = next((arm for arm in plain if arm.first.identity.without_tools), plain[0])
        for other in own:
            if other is base:
                continue
            name = _contrast_name(base, other)
            one, two = base.first, other.first
            if found := run_parity(one, two, names=(base.name, other.name)):
                refused.append(Refused(name=name, differences=tuple(found)))
            else:
                early = unfinished({arm.name: arm.first for arm in (base, other)})
                contrasts.append(
                    ContrastIn(
                        name, base, other, parity_card([(one, two)], names=(base.name, other.name)), no_verdict=early
                    )
                )
    evidence = evidence_of(runs, source)
    lines = tuple(dict.fromkeys(one.no_verdict for one in contrasts if one.no_verdict))
    return ChapterIn(source, "runs", tuple(arms), tuple(contrasts), tuple(refused), evidence=evidence, progress=lines)


def _contrast_name(a: ArmIn, b: ArmIn) -> str:
    """Return both names, the model's once."""
    model = f"{a.model} "
    if a.name.startswith(model) and b.name.startswith(model):
        return f"{a.model}: {a.name.removeprefix(model)} -> {b.name.removeprefix(model)}"
    return f"{a.name} -> {b.name}"


def named(runs: Sequence[Run]) -> list[ArmIn]:
    """Name arms by model and condition, and by their folders where that is not enough."""
    several = len({run.identity.model_name for run in runs}) > 1
    asked = [run.identity for run in runs]
    bare = [f"{one.model_name} {one.condition}" if several else one.condition for one in asked]
    shown = ["" if one.picture == "own" else f", picture {one.picture}" for one in asked]
    bare = [f"{name}{picture}" for name, picture in zip(bare, shown, strict=True)]
    names = [
        f"{name} ({run.folder.name})" if bare.count(name) > 1 else name for name, run in zip(bare, runs, strict=True)
    ]
    unique = [name if names.count(name) == 1 else f"{name} {at + 1}" for at, name in enumerate(names)]
    return [ArmIn(name, run.identity.model_name, (run,)) for name, run in zip(unique, runs, strict=True)]
