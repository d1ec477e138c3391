"""A protocol: by which of MedVision's two published rule sets a response is scored. One scorer, declared variants.

Contract: a protocol holds facts only; ``numbers`` and ``metrics`` read them and branch on nothing else. It can be
applied to a stored run again at any time, and is not to be confused with the recipe (how a sample is asked).

Source: MedVision's scoring, read in version 1.0.0 (``paper-v1``) and in the package ``medvision_bm`` 1.2.1
(``medvision-1.2``).
"""

import re
from dataclasses import dataclass

from medvision_agent.errors import ConfigError, nearest

__all__ = ["DEFAULT_PROTOCOL", "PROTOCOLS", "Protocol", "protocol"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """The facts in which the two rule sets differ, as far as a single sample goes."""

    name: str
    answer_tags: bool
    """Read only the text between the first ``<answer>`` and the next ``</answer>``; else the whole response."""
    number: re.Pattern[str]
    """What counts as a number. ``\\d`` takes every Unicode decimal digit, as upstream's does."""
    thousands_commas: bool
    """Commas inside a matched number separate thousands and are dropped."""
    sort_corners: bool
    """A box may name its corners in any order; else a swapped axis overlaps nothing."""
    overlap_float64: bool
    """IoU and F1 are computed in float64; else in float32 wherever only predicted values meet."""
    clamp_overlap: bool
    """Overlap metrics end at 1."""


# Neither pattern can backtrack far: after the digits every part is optional, so both take linear time on any text.
PROTOCOLS: dict[str, Protocol] = {
    rules.name: rules
    for rules in (
        Protocol(
            name="paper-v1",
            answer_tags=False,
            number=re.compile(r"-?\d+\.?\d*"),
            thousands_commas=False,
            sort_corners=False,
            overlap_float64=False,
            clamp_overlap=False,
        ),
        Protocol(
            name="medvision-1.2",
            answer_tags=True,
            number=re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"),
            thousands_commas=True,
            sort_corners=True,
            overlap_float64=True,
            clamp_overlap=True,
        ),
    )
}
"""The protocols by name."""

DEFAULT_PROTOCOL = "medvision-1.2"


def protocol(name: str) -> Protocol:
    """Return the protocol called *name*."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        known = ", ".join(PROTOCOLS)
        raise ConfigError(f"protocol {name!r} is unknown; known: {known}.{nearest(name, PROTOCOLS)}") from None
