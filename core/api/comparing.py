"""Compare two runs, paired by sample, or a run with MedVision's published results."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from medvision_agent.api.loaded import PathText
from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.card import Card
from medvision_agent.eval.compare.card_words import card_json
from medvision_agent.eval.compare.compare import Comparison
from medvision_agent.eval.compare.compare import compare as compare_scored
from medvision_agent.eval.compare.parity import MODEL_FIELDS, run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.findings.contrasts import work_out
from medvision_agent.eval.findings.find import findings_of
from medvision_agent.eval.findings.inputs import named, pair_chapter
from medvision_agent.eval.findings.model import Findings
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.parts.compare import PartsComparison, compare_parts
from medvision_agent.eval.place.compare import PlaceComparison, compare_places
from medvision_agent.eval.published.differences import differences
from medvision_agent.eval.published.figures import Figures, run_figures
from medvision_agent.eval.published.versions import Version, version_named, version_of
from medvision_agent.eval.scorer.primary import Declared, Failures, primaries_of
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.claims import no_claim_line, no_claim_of_pair, unfinished
from medvision_agent.eval.summary.compute import PairCompute, compute_of_pair
from medvision_agent.eval.tasks import TaskName

__all__ = ["BesidePublished", "Compared", "compare", "compare_published", "refuse_unlike"]


@dataclass(frozen=True, eq=False)
class Compared:
    """The comparison of two stored runs of the same samples, paired by sample. Differences are B minus A."""

    a: Run
    b: Run
    names: tuple[str, str]
    """Names of the two runs: their conditions, with models or folders if conditions are equal."""
    comparison: Comparison
    """By task: the means over common pairs, their difference B - A, and what could not be paired."""
    places: Mapping[TaskName, PlaceComparison]
    """By task: whether both runs measured where the ground truth lies, and the losses in which an answer measured
    elsewhere counts as failed (``eval/place``)."""
    parts: Mapping[TaskName, PartsComparison]
    """By task: both mean losses and their difference, split by cause: wrong object, seeing, arithmetic, unit
    (``Cause`` in ``eval/parts/replay.py``)."""
    findings: Findings
    """The answer in words, a row for each task, and the caveats."""

    @property
    def no_claim(self) -> Sequence[str]:
        """Headlines: the reasons why the difference is no evidence about tools, or not yet; empty without a reason."""
        one, two = self.names
        early = unfinished({one: self.a, two: self.b})
        a, b = self.a.identity.model_name, self.b.identity.model_name
        if a != b:
            between = (
                f"{one} and {two} are of the models {a} and {b}: differences are between models, not made by tools"
            )
            return [between, *filter(None, [early])]
        reasons = no_claim_of_pair([self.a], [self.b], self.names)
        return [*(no_claim_line(reason) for reason in reasons), *filter(None, [early])]

    @property
    def card(self) -> Card:
        """The parity card: what is proven, assumed and unknowable about whether only what is compared differs."""
        return parity_card([(self.a, self.b)], names=self.names)

    @property
    def compute(self) -> PairCompute | None:
        """Tokens, turns, images, seconds and cost of B relative to A, and whether any was matched on purpose.

        None if both runs have the same tools, or if no such figure is known.
        """
        return compute_of_pair([self.a], [self.b], self.names)

    def table(self) -> pd.DataFrame:
        """Return a row for each task and measure.

        Columns: ``task``, ``measure``, the means ``a`` and ``b`` over the pairs, their ``difference`` (B minus A), and
        the numbers of pairs (``n``) and ``subjects``.
        """
        return pd.DataFrame(
            {"task": task, "measure": name, **mean.model_dump()}
            for task, one in self.comparison.tasks.items()
            for name, mean in one.metrics.items()
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``compare --json`` prints."""
        arms = {
            arm: {
                "facts": run.facts,
                "identity": run.identity.plain(),
                "tool_path": run.tool_path.model_dump() if run.tool_path else None,
            }
            for arm, run in (("a", self.a), ("b", self.b))
        }
        said = {
            "no_claim": list(self.no_claim),
            "compute": [str(self.compute)] if self.compute else [],
            "parity": card_json(self.card),
        }
        places = {task: one.model_dump(mode="json") for task, one in self.places.items()}
        parts = {task: one.model_dump(mode="json") for task, one in self.parts.items()}
        found = {"comparison": self.comparison.model_dump(mode="json"), "place": places, "parts": parts}
        found["findings"] = self.findings.model_dump(mode="json")
        return arms | {"names": list(self.names)} | said | {"source_note": self.a.source_note} | found


@dataclass(frozen=True, eq=False)
class BesidePublished:
    """A run compared with a version of MedVision's published results."""

    run: Run
    protocol: Protocol
    figures: Mapping[str, Mapping[str, Figures]]
    """Figures of the run, by MedVision's task type (``Family``) and by part of its published table."""
    differences: Sequence[str]
    """Sentences: in what the run was asked or scored differently from the published models."""
    published: Version
    """The published results that the run stands beside."""

    def to_json(self) -> dict[str, Any]:
        """Return what ``compare --published --json`` prints."""
        parts = {family: {part: asdict(one) for part, one in own.items()} for family, own in self.figures.items()}
        return {
            "run": parts,
            "protocol": self.protocol.name,
            "not_the_same": self.differences,
            "published": self.published.model_dump(mode="json"),
            "facts": self.run.facts,
        }


def compare(
    a: PathText,
    b: PathText,
    protocol: str = DEFAULT_PROTOCOL,
    *,
    metric: Declared = "loss",
    failures: Failures = "worst",
    models: bool = False,
) -> Compared:
    """Return the comparison of two stored runs, paired by sample; differences are *b* minus *a*.

    There is no significance test: that needs a study (``ablate``).

    Args:
        a: Folder of the first run.
        b: Folder of the second run.
        protocol: Name of the scoring rules.
        metric: The loss by which the runs are compared, or one for each task (docs/studies.md, key ``metric``).
        failures: What a sample without a readable answer costs: ``worst`` or ``chance`` (docs/studies.md).
        models: The runs are of two models under the same condition, instead of one model with different tools.

    Raises:
        ConfigError: The runs differ in more than their tools (or their models), or *metric* is not defined for a task.
        StorageError: A run cannot be read.
    """
    rules = protocol_named(protocol)
    one, two = open_run(Path(a)), open_run(Path(b))
    metrics = primaries_of(asked_in(one), metric, failures)
    refuse_unlike(one, two, (a, b), models=models)
    chapter = pair_chapter(one, two, metrics)
    (worked,) = work_out([chapter], rules)
    names = chapter.arms[0].name, chapter.arms[1].name
    scored_a, scored_b = (worked.scores[name][0] for name in names)
    looked = [worked.looked[name] for name in names]
    comparison = compare_scored(scored_a, scored_b, rules, chosen=len(one.samples), metrics=metrics)
    places = compare_places(looked[0].located, looked[1].located)
    parts = compare_parts(looked[0].losses, looked[1].losses)
    return Compared(one, two, names, comparison, places, parts, findings_of(worked))


def refuse_unlike(one: Run, two: Run, paths: Sequence[PathText], *, models: bool = False) -> None:
    """Raise ConfigError that names every difference if two runs differ in more than their tools.

    With *models*, two models may differ, but not the tools. *paths* are the folders as the user named them, for the
    message.
    """
    what = "models" if models else "tools"
    asked = one.identity.model_name, two.identity.model_name
    a, b = paths
    if models and asked[0] == asked[1]:
        raise ConfigError(f"{a} and {b} are both runs of {asked[0]}; compare them without --models")
    first, second = (arm.name for arm in named([one, two]))
    free = MODEL_FIELDS if models else TOOL_FIELDS
    if different := run_parity(one, two, free=free, names=(first, second)):
        listed = "".join(f"\n  {line}" for line in different)
        hint = "" if models or asked[0] == asked[1] else "\nTwo models under one condition are compared with --models"
        raise ConfigError(
            f"{a} ({first}) and {b} ({second}) differ in more than their {what}, so no difference in their "
            f"results could be attributed to the {what}:{listed}{hint}"
        )


def compare_published(
    run: PathText, protocol: str = DEFAULT_PROTOCOL, *, version: str | None = None
) -> BesidePublished:
    """Return a stored run over MedVision's samples beside the published results, with what was asked differently.

    *version* is `preprint-v1` or `leaderboard-v2`; by default, the version whose models were asked like the run's, by
    recipe and form. Raises ConfigError for an unknown version or protocol, DataError if the run has no sample of
    MedVision's data, and StorageError if it cannot be read.
    """
    rules, stored = protocol_named(protocol), open_run(Path(run))
    beside = version_of(stored.identity) if version is None else version_named(version)
    figures = run_figures(stored.each(), rules)
    return BesidePublished(stored, rules, figures, differences(stored, rules, beside), beside)
