"""What arms took beside each other: whether compute was matched between them, and by how much it differs.

Contract: figures are means over scored samples, as ``Effort`` has them; what is unknown in one arm is left out. Only
output tokens are ever matched, or else the pixels of images. Caching, latency and forced endings are not.
"""

from collections.abc import Iterable, Mapping, Sequence

from medvision_agent.agent.made import ENLARGED, MATCHED
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.summary import Effort, Mean, effort_of

__all__ = ["COMPUTE", "compute_note", "compute_of_pair", "effort_of_arm"]

COMPUTE: Mapping[str, str] = {
    "output_tokens": "tokens out",
    "input_tokens": "tokens in",
    "turns": "turns",
    "pictures": "pictures",
    "cost_usd": "US dollars",
    "seconds": "seconds",
}
"""The measures of compute: fields of ``Effort``, and how a person calls them."""
_NOT = "pictures, caching, latency and forced endings are not"
_NOT_PIXELS = "tokens, turns, caching, latency and forced endings are not"


def compute_note(conditions: Iterable[str]) -> str:
    """Say of arms under these conditions whether any was matched in compute."""
    found = set(conditions)
    tokens, pixels = bool(found.intersection(MATCHED)), ENLARGED in found
    notes = [f"compute was matched in output tokens alone: {_NOT}"] if tokens else []
    notes += [f"compute was matched in pixels of images alone, as far as they can be enlarged: {_NOT_PIXELS}"] * pixels
    return "; ".join(notes) or "compute was not matched between arms"


def compute_of_pair(a: Sequence[Run], b: Sequence[Run], names: tuple[str, str] = ("A", "B")) -> tuple[str, ...]:
    """Say by how much the compute of two arms differs, in one sentence; none where they have the same tools."""
    differ = {name for name, _, _ in a[0].identity.differences(b[0].identity)}
    if not differ & TOOL_FIELDS:
        return ()
    one, two = effort_of_arm(a), effort_of_arm(b)
    note = compute_note(_matched(a[0].identity, b[0].identity))
    ratios = [
        f"{two_mean / one_mean:.2f} times the {name}"
        for field, name in COMPUTE.items()
        if (one_mean := _mean(one, field)) and (two_mean := _mean(two, field)) is not None
    ]
    forced = [mean for effort in (one, two) if (mean := effort.forced_endings.mean) is not None]
    if not ratios or len(forced) < 2:
        return ()
    endings = ", ".join(f"{share:.1%} in {name}" for name, share in zip(names, forced, strict=True))
    took = f"{names[1]} took {', '.join(ratios)} of {names[0]}"
    return (f"{note[0].upper()}{note[1:]}. Per sample {took}{_money(one, two, names)}; forced endings: {endings}.",)


def _money(one: Effort, two: Effort, names: tuple[str, str]) -> str:
    """Return what a sample of each arm cost; empty where no price is known in either."""
    costs = [effort.cost_usd.mean for effort in (one, two)]
    if not any(costs):
        return ""
    known = ["cost not known" if cost is None else f"{cost:.4g} US dollars" for cost in costs]
    return f"; {known[0]} in {names[0]}, {known[1]} in {names[1]}"


def _matched(a: Identity, b: Identity) -> tuple[str, ...]:
    """Return the condition that was matched to the other arm, which has tools; none where it was matched to neither."""
    pairs = (one.condition for one, other in ((a, b), (b, a)) if other.tools and not other.control)
    return tuple(condition for condition in pairs if condition in (*MATCHED, ENLARGED))


def effort_of_arm(runs: Sequence[Run]) -> Effort:
    """Return what the scored samples of an arm took, over all its epochs and tasks."""
    return effort_of([record for run in runs for record in run.records if not record.outcome.infrastructure])


def _mean(effort: Effort, field: str) -> float | None:
    mean: Mean = getattr(effort, field)
    return mean.mean
