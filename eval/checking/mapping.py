"""Checks the file of ``--subjects`` for rows that name a case that does not exist in MedVision's data.

A mistyped case splits the samples of a person into two clusters, and nothing else would reveal it.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from time import monotonic

from medvision_agent.errors import DataError, nearest
from medvision_agent.eval.checking.finding import Checked, Fault
from medvision_agent.eval.data.medvision.plan import read_plan
from medvision_agent.eval.data.medvision.source import MedVisionSource
from medvision_agent.text import plural

__all__ = ["check_mapping"]

_NAMES = 10_000
"""How many cases of a dataset are searched for the nearest name."""


def check_mapping(checked: Checked, source: MedVisionSource, deadline: float | None) -> None:
    """Add to *checked* a refusal for each row of ``--subjects`` whose case is in no annotation plan of the source.

    If *deadline* (a time of ``time.monotonic`` in seconds; None: no limit) passes before all plans are read, one
    warning counts the rows not found yet instead.
    """
    path = source.reading.subjects
    if path is None:
        return
    left, known = dict.fromkeys(source.subjects), dict[str, dict[str, None]]()
    for dataset, case in _cases(source, {dataset for dataset, _ in left}):
        left.pop((dataset, case), None)
        cases = known.setdefault(dataset, {})
        if len(cases) < _NAMES:
            cases[case] = None
        if not left:
            return
        if deadline is not None and monotonic() > deadline:
            told = (
                f"{plural(len(left), 'case')} of this file had not been found in MedVision's annotations when the time "
                "for checks was over; to check all: medvision-agent data check"
            )
            checked.add(Fault("subjects-file", "case", told, refused=False), str(path))
            return
    datasets = {plan.dataset for plan in source.plans}
    for number, (dataset, case) in enumerate(source.subjects):
        if (dataset, case) not in left:
            continue
        place = f"{path}:{source.subject_lines[number]}"
        if dataset in datasets:
            told = f"{case[:80]!r} is not a case of the dataset {dataset}.{nearest(case, known.get(dataset, ()))}"
            checked.add(Fault("subjects-file", "case", told), place)
        else:
            told = f"{dataset[:80]!r} is not a dataset of this data folder.{nearest(dataset, datasets)}"
            checked.add(Fault("subjects-file", "dataset", told), place)


def _cases(source: MedVisionSource, datasets: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield dataset and case of each entry in the plans of *datasets*; of a broken plan, those before the break."""
    for plan in source.plans:
        if plan.dataset not in datasets:
            continue
        with suppress(DataError):  # reported where the samples are listed
            for _, _, raws in read_plan(plan):
                for raw in raws:
                    name = raw.data.get("case_ID") if isinstance(raw.data, Mapping) else None
                    if isinstance(name, str):
                        yield plan.dataset, name
