"""A protocol: which of MedVision's two published rule sets scores a response. One scorer with declared variants.

Contract: a protocol holds facts only; the scorer's functions read them and branch on nothing else. It can be applied to
a stored run at any time, and is not the recipe (how a sample is asked). Upstream's bugs are part of a protocol, because
published numbers contain them. Figures that we consider sound are printed in addition, under other names
(``groups.sound``).

Source: MedVision's scoring, read in version 1.0.0 (``paper-v1``) and in the package ``medvision_bm`` 1.2.1
(``medvision-1.2``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["DEFAULT_PROTOCOL", "PROTOCOLS", "Protocol", "protocol", "scored_by"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One of MedVision's rule sets, as the facts in which the two rule sets differ."""

    name: str
    version: str
    """Its name in MedVision's own files."""

    # One sample.
    answer_tags: bool
    """Read only the text between the first ``<answer>`` and the next ``</answer>``; otherwise the whole response."""
    number: re.Pattern[str]
    """What counts as a number. ``\\d`` takes every Unicode decimal digit, as upstream's does."""
    thousands_commas: bool
    """Commas inside a matched number separate thousands and are dropped."""
    sort_corners: bool
    """A box may name its corners in any order; otherwise a swapped axis gives overlap 0."""
    overlap_float64: bool
    """IoU and F1 are computed in float64; otherwise in float32 for operations on predicted values only."""
    clamp_overlap: bool
    """Overlap metrics are cut at 1."""
    nmae: bool
    """Lengths have nMAE: MAE over the physical diagonal of the slice."""

    # A task, at the time its file is parsed.
    failed_box_counts: bool
    """A box that was not parsed enters the task's mean IoU as 0; otherwise it is left out."""

    # Groups of samples.
    label_table: str
    """Which version of the label table gives groups and short names."""
    skip_infinite: bool
    """Means skip all values that are not finite; otherwise only NaN (upstream then stops at an infinite error)."""
    accuracy_grid: bool
    """Detection has Acc@IoU for 0.50, 0.55 ... 0.95, and their mean."""
    near_zero: float | None
    """Angles and distances whose target is below this are left out of the groups."""
    averages: tuple[str, ...]
    """The averages over groups of angles and distances."""
    removed_samples: bool
    """Whether lesions on a list may be left out of the groups."""
    box_size_error: str
    """The name of the fractions of MAE in the box-size tables."""
    box_size_last: str
    """The name of the last bin in the box-size tables."""
    box_size_fine: bool
    """The box-size tables also exist by label, in addition to the group of labels."""
    random_box_least: int
    """The shortest possible side of a random box in pixels."""

    # How upstream's programs were run; this does not differ between the rule sets.
    numpy1: bool = False
    """An angle or distance is compared with its target in float32, as in NumPy 1."""
    scaled_pixel_size: tuple[float, float] = (0.5, 3.0)
    """Range of the factors of ``scaledPS`` tasks, which are drawn again if a file does not store them."""


# Neither pattern backtracks far: after the digits every part is optional, so both take linear time on any text.
PROTOCOLS: dict[str, Protocol] = {
    rules.name: rules
    for rules in (
        Protocol(
            name="paper-v1",
            version="paper-v1",
            answer_tags=False,
            number=re.compile(r"-?\d+\.?\d*"),
            thousands_commas=False,
            sort_corners=False,
            overlap_float64=False,
            clamp_overlap=False,
            nmae=False,
            failed_box_counts=False,
            label_table="v1",
            skip_infinite=False,
            accuracy_grid=False,
            near_zero=None,
            averages=("FeTA-Distance", "Ceph-Angle", "Ceph-Distance"),
            removed_samples=False,
            box_size_error="MRE",
            box_size_last="90% <= Box/Image",
            box_size_fine=False,
            random_box_least=1,
        ),
        Protocol(
            name="medvision-1.2",
            version="v1.2",
            answer_tags=True,
            # An optional sign, digits with or without thousands separators, a fraction, an exponent. A number always
            # begins with one of few characters, so the search skips all others quickly.
            number=re.compile(r"[-+\d](?:(?<=\d)\d{0,2}+|\d{1,3}+)(?:(?:,\d{3})+|\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?"),
            thousands_commas=True,
            sort_corners=True,
            overlap_float64=True,
            clamp_overlap=True,
            nmae=True,
            failed_box_counts=True,
            label_table="v1.2",
            skip_infinite=True,
            accuracy_grid=True,
            near_zero=0.1,
            averages=("FeTA-Distance", "Ceph-Angle", "Ceph-Distance", "Distance", "Angle"),
            removed_samples=True,
            box_size_error="MAE",
            box_size_last="Box/Image >= 90%",
            box_size_fine=True,
            random_box_least=3,
        ),
    )
}
"""The protocols by name."""

DEFAULT_PROTOCOL = "medvision-1.2"


def protocol(name: str) -> Protocol:
    """Return the protocol called *name*; raises ConfigError, which lists the known ones."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        known = ", ".join(PROTOCOLS)
        raise ConfigError(f"protocol: {name!r} is unknown; known: {known}.{nearest(name, PROTOCOLS)}") from None


def scored_by(name: str, tasks: Iterable[TaskName]) -> str:
    """Return in words by what answers to *tasks* are scored.

    It is the protocol *name*, and our own rule for each task that MedVision does not score.
    """
    own = {task: TASKS[task].own_rule for task in tasks}
    said = (f"{task} by {rule}, our own rule, not MedVision's" for task, rule in own.items() if rule)
    return "; ".join([name, *said])
