"""From folders to arms and contrasts: which runs belong together, and which may be compared.

Contract: runs given one by one are never a declared comparison. Among the runs of one model over one source, the run
without tools (or else the first) is compared with each run that differs from it only in its tools (``parity``). If
there are other differences, the comparison is refused and each difference is named. A study declares its own
comparisons.
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
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.store.later import streamed
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
    "blind:pictures": "images that tools return",
    "blind:numbers": "numbers that tools return",
    "same-region": "new detail in images",
    "blank": "what images of tools show",
}
"""What each control removes from tools, in words."""
Asks = Literal["tools", "models", "arms"]
"""What a contrast asks: the effect of tools (only the second arm has any), of models, or of another change."""


class Refused(Frozen):
    """A comparison that was refused, or runs of a study that cannot be compared, with every reason."""

    name: str
    differences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ArmIn:
    """One way of asking, with its stored runs: one run for each epoch, and for each wording drawn."""

    name: str
    model: str
    runs: tuple[Run, ...]
    drawn: tuple[int, ...] = ()
    """The wording that was drawn for each run; empty if none was drawn."""

    @property
    def first(self) -> Run:
        """The run of the first epoch, in the first wording."""
        return self.runs[0]

    @property
    def wordings(self) -> tuple[int, ...]:
        """The number of the wording of each run, in the order of the runs; 0 if no wordings were drawn."""
        return self.drawn or (0,) * len(self.runs)

    @property
    def shows_own(self) -> bool:
        """Whether each question was shown with the image of its own sample, and not with another image or none."""
        return self.first.identity.picture == "own"

    @property
    def offline(self) -> str:
        """Name of the scripted policy that answers; empty if a model does."""
        model = self.first.identity.model
        return str(model.get("name", "")) if model.get("provider") == "offline" else ""


@dataclass(frozen=True, eq=False)
class ContrastIn:
    """Two arms, A and B, that will be paired sample by sample; differences are B minus A."""

    name: str
    a: ArmIn
    b: ArmIn
    card: Card = field(default_factory=Card)
    """What is known about their parity."""
    declared: bool = False
    no_verdict: str = ""
    """Why it is too early for a verdict; empty if it is not."""
    seen: tuple[frozenset[str], ...] = ()
    """The subjects of each planned look that took place; empty without looks."""

    @property
    def identical(self) -> bool:
        """Whether the arms are two identical runs (a repeat)."""
        return not any(self.a.first.identity.differences(self.b.first.identity))

    @property
    def asks(self) -> Asks:
        """What the contrast asks: the effect of tools, of models, or of another change of the arms."""
        before, after = self.a.first.identity, self.b.first.identity
        if self.a.model != self.b.model:
            return "models"
        free = before.without_tools or before.condition in {*MATCHED, THINKING}
        called = bool(after.tools or after.provider_code) and not after.control
        return "tools" if free and called and before.picture == after.picture else "arms"

    @property
    def control(self) -> str:
        """Which aspect of B's tools the first arm A, a control, removes, in words; empty if A is no such control."""
        before, after = self.a.first.identity, self.b.first.identity
        if after.control or not (after.tools or after.provider_code):
            return ""
        return _TAKEN.get(before.control, "") or ("tools beyond more turns" if before.again else "")

    @property
    def no_claim(self) -> tuple[str, ...]:
        """The reasons why a difference says nothing about tools; empty if it may say something."""
        return no_claim_of_pair(self.a.runs, self.b.runs, (self.a.name, self.b.name))

    @property
    def withheld(self) -> tuple[str, ...]:
        """Reasons, known before any figure, why a difference has neither interval nor p-value; empty without one."""
        return (*self.no_claim, *filter(None, [self.no_verdict]))


@dataclass(frozen=True, eq=False)
class ChapterIn:
    """The arms over one set of samples, and the contrasts between them: the input of one chapter of a report."""

    name: str
    kind: Literal["runs", "study"]
    arms: tuple[ArmIn, ...]
    contrasts: tuple[ContrastIn, ...] = ()
    refused: tuple[Refused, ...] = ()
    alpha: float = 0.05
    margin: float | None = None
    """Differences smaller than this are declared negligible."""
    evidence: Evidence = "real"
    family: tuple[Key, ...] = ()
    """The declared tests: those of all chapters of a study."""
    primaries: tuple[str, ...] = ()
    """The contrasts whose tests start with all of alpha."""
    metrics: Mapping[TaskName, Primary] = field(default_factory=dict)
    """The declared metric of each task; tasks with the default loss are left out."""
    looks: Mapping[TaskName, tuple[int, ...]] = field(default_factory=dict)
    """Number of subjects of each task at each planned look."""
    progress: tuple[str, ...] = ()
    """Headlines: why there is no verdict, or which look was reached."""
    source: str = ""
    """Source of the samples, as named in a study's tests."""
    label: str = ""
    """Distinguishes the comparisons of a study with several sources."""
    reader: Reader | None = None
    """The second reader that a study declared before its first call."""
    read_by: Reader | None = None
    """The reader whose readings are scored; None if the rule's are."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """What a study fixed before its first call."""
    plan_sha256: str = ""

    def at_end(self, one: ContrastIn) -> bool:
        """Return whether all planned looks at a contrast took place: tests without boundaries are made only then."""
        return len(one.seen) == max(map(len, self.looks.values()), default=0)

    def name_of(self, one: ContrastIn) -> str:
        """Return a contrast's name in the report, with its model and source if there are several."""
        several = len({contrast.a.model for contrast in self.contrasts}) > 1
        name = f"{one.a.model}: {one.name}" if several and one.a.model not in one.name else one.name
        return f"{name} ({self.label})" if self.label else name


def runs_chapters(folders: Sequence[Path]) -> list[ChapterIn]:
    """Return the chapters of stored runs that belong to no study, one chapter for each source of samples."""
    by_source: dict[str, list[Run]] = {}
    for folder in folders:
        run = open_run(folder)
        by_source.setdefault(str(run.config["source"]["name"]), []).append(run)
    names = shared_names(by_source)
    return [_chapter(names[source], runs) for source, runs in by_source.items()]


def evidence_of(runs: Sequence[Run], where: str) -> Evidence:
    """Return what the samples of *runs* are evidence of; DataError if synthetic and real images are mixed.

    *where* names the runs in the error.
    """
    if len(runs) == 1:  # a command that reads one run may need its samples only here
        made = {sample.marks.synthetic for sample in streamed(runs[0].samples)}
    else:
        made = {question.group.marks.synthetic for run in runs for question in asked_in(run)}
    if len(made) > 1:
        raise DataError(
            f"{where}: synthetic and real images are mixed, but no figure may mix them; make a report of each kind"
        )
    if any(run.config["source"].get("demonstration") for run in runs):
        return "demonstration"
    return "synthetic" if made == {True} else "real"


def no_evidence(run: Run) -> list[str]:
    """Return the reason why no figure of a run has an interval, if it is over demonstration data; otherwise empty."""
    return [DEMONSTRATION] if evidence_of([run], str(run.folder)) == "demonstration" else []


def pair_chapter(a: Run, b: Run, metrics: Mapping[TaskName, Primary]) -> ChapterIn:
    """Return the chapter of two runs that ``parity`` accepts; *metrics* are the declared metrics by task."""
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
    """Return the name of a contrast, "A -> B", with the model's name only once if both arms begin with it."""
    model = f"{a.model} "
    if a.name.startswith(model) and b.name.startswith(model):
        return f"{a.model}: {a.name.removeprefix(model)} -> {b.name.removeprefix(model)}"
    return f"{a.name} -> {b.name}"


def named(runs: Sequence[Run]) -> list[ArmIn]:
    """Return an arm for each run, named by model (if there are several) and condition.

    The folder is added if names would repeat, and then a number.
    """
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
