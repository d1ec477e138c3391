"""The compute of arms compared: whether it was matched, and by how much it differs.

Contract: figures are means over scored samples, as in ``Effort``; measures unknown in one arm are left out. Only output
tokens, or the pixels of images, are ever matched. Caching, latency and forced endings are not.
"""

from collections.abc import Iterable, Mapping, Sequence

from medvision_agent.agent.made import ENLARGED, MATCHED
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.effort import Effort, Mean
from medvision_agent.eval.summary.efforts import effort_of_runs
from medvision_agent.frozen import Frozen
from medvision_agent.text import percent

__all__ = ["COMPUTE", "PairCompute", "compute_note", "compute_of_pair"]

COMPUTE: Mapping[str, str] = {
    "output_tokens": "tokens out",
    "input_tokens": "tokens in",
    "turns": "turns",
    "pictures": "images",
    "cost_usd": "US dollars",
    "seconds": "seconds",
}
"""The measures of compute: fields of ``Effort``, with their names for people."""
_NOT = "images, caching, latency and forced endings are not"
_NOT_PIXELS = "tokens, turns, caching, latency and forced endings are not"


class PairCompute(Frozen):
    """How the compute (tokens, turns, images, time, cost) per scored sample differs between two arms."""

    names: tuple[str, str]
    note: str
    """A sentence that says whether the compute of one arm was matched to that of the other, and in what."""
    ratios: dict[str, float]
    """For each measure (by its name in ``COMPUTE``), the second arm's value divided by the first arm's."""
    costs: tuple[float | None, float | None]
    """US dollars per sample in each arm; None if no price is known."""
    forced: tuple[float, float]
    """The share of samples in each arm in which a limit was reached and one last turn was granted."""

    def __str__(self) -> str:
        """Return the comparison in words."""
        return _in_words(self)


def compute_note(conditions: Iterable[str]) -> str:
    """Return a sentence: whether the compute of an arm was matched to that of another, and in what.

    *conditions* are those of the arms: some of them, such as matched tokens, match the compute.
    """
    found = set(conditions)
    tokens, pixels = bool(found.intersection(MATCHED)), ENLARGED in found
    notes = [f"compute was matched in output tokens alone: {_NOT}"] if tokens else []
    notes += [f"compute was matched in pixels of images alone, as far as they can be enlarged: {_NOT_PIXELS}"] * pixels
    return "; ".join(notes) or "compute was not matched between arms"


def compute_of_pair(a: Sequence[Run], b: Sequence[Run], names: tuple[str, str] = ("A", "B")) -> PairCompute | None:
    """Return how the compute of two arms differs, per scored sample; *a* and *b* are the epochs of each arm.

    None if they have the same tools, if no measure is known in both, or if one of them has no scored sample.
    """
    differ = {name for name, _, _ in a[0].identity.differences(b[0].identity)}
    if not differ & TOOL_FIELDS:
        return None
    one, two = effort_of_runs(a), effort_of_runs(b)
    note = compute_note(_matched(a[0].identity, b[0].identity))
    ratios = {
        name: two_mean / one_mean
        for field, name in COMPUTE.items()
        if (one_mean := _mean(one, field)) and (two_mean := _mean(two, field)) is not None
    }
    forced = [mean for effort in (one, two) if (mean := effort.forced_endings.mean) is not None]
    if not ratios or len(forced) < 2:
        return None
    costs = (one.cost_usd.mean, two.cost_usd.mean)
    return PairCompute(names=names, note=note, ratios=ratios, costs=costs, forced=(forced[0], forced[1]))


def _in_words(found: PairCompute) -> str:
    ratios = ", ".join(f"{times:.2f} times the {name}" for name, times in found.ratios.items())
    took = f"{found.names[1]} took {ratios} of {found.names[0]}{_money(found)}"
    endings = ", ".join(f"{percent(share)} in {name}" for name, share in zip(found.names, found.forced, strict=True))
    return f"{found.note[:1].upper()}{found.note[1:]}. Per sample {took}; forced endings: {endings}."


def _money(found: PairCompute) -> str:
    """Return the cost of a sample in each arm, in words; empty if neither arm has a known cost above 0."""
    if not any(found.costs):
        return ""
    known = ["cost not known" if cost is None else f"{cost:.4g} US dollars" for cost in found.costs]
    return f"; {known[0]} in {found.names[0]}, {known[1]} in {found.names[1]}"


def _matched(a: Identity, b: Identity) -> tuple[str, ...]:
    """Return the conditions under which one arm was matched in compute to the other, which has tools; empty if none."""
    pairs = (one.condition for one, other in ((a, b), (b, a)) if other.tools and not other.control)
    return tuple(condition for condition in pairs if condition in (*MATCHED, ENLARGED))


def _mean(effort: Effort, field: str) -> float | None:
    mean: Mean = getattr(effort, field)
    return mean.mean
