"""The primary by stratum (dataset, modality, plane, size of the target, group of labels): always exploratory.

Contract: every stratum gives its number of pairs and subjects; under 5 subjects it gives nothing else, and there are
never p-values. The caller defines the strata and their groups (``Unit.strata``).
"""

from medvision_agent.eval.compare.statistics.estimate import Estimate, primary
from medvision_agent.eval.compare.statistics.pairs import Pairs
from medvision_agent.frozen import Frozen

__all__ = ["MIN_STRATUM_SUBJECTS", "Stratum", "strata"]

MIN_STRATUM_SUBJECTS = 5


class Stratum(Frozen):
    """The scored pairs of one group of samples (such as modality CT), with their difference in loss."""

    name: str
    """The variable that defines the strata, such as ``modality``."""
    value: str
    """The group, such as ``CT``."""
    chosen: int
    """Number of samples of the stratum selected to be asked in both arms."""
    n: int
    """Number of pairs scored in both arms."""
    subjects: int
    """Number of distinct subjects in these pairs."""
    estimate: Estimate | None
    """The difference in loss, B minus A; None if there are fewer subjects than the minimum."""
    withheld: str
    """Why the estimate, its interval or its p-value is missing; the p-value is always missing."""


def strata(pairs: Pairs) -> tuple[Stratum, ...]:
    """Return the scored pairs and the difference of every stratum of a comparison, such as modality CT or plane axial.

    They are ordered by the variable (``Stratum.name``) and then by the group (``Stratum.value``), as text.
    """
    names = {(name, value) for unit in pairs.all.units for name, value in unit.strata.items()}
    return tuple(_stratum(pairs.where(name, value), name, value) for name, value in sorted(names))


def _stratum(pairs: Pairs, name: str, value: str) -> Stratum:
    found = primary(pairs, role="exploratory")
    few = found.subjects < MIN_STRATUM_SUBJECTS
    return Stratum(
        name=name,
        value=value,
        chosen=len(pairs.all),
        n=found.n,
        subjects=found.subjects,
        estimate=None if few else found,
        withheld=f"subjects: {found.subjects}, fewer than {MIN_STRATUM_SUBJECTS}; counts only"
        if few
        else found.withheld,
    )
