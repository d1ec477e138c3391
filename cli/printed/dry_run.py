"""A dry run in five lines of at most 80 columns: the requests, their likely cost with a range, and the basis.

Contract: no figure is cut. In a line that would be too long, the last details are left out; ``--verbose`` prints them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from medvision_agent.eval.asking.estimate import Estimate, Spending
from medvision_agent.eval.study.plan import PlannedSource
from medvision_agent.eval.study.preview import PowerPreview, Preview
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural

__all__ = ["COLUMNS", "estimate_lines", "preview_lines"]

COLUMNS = 80
_NAME = 30
"""Maximum number of characters of a name that are shown; of a path, the last ones."""


def estimate_lines(found: Estimate, data: str) -> list[str]:
    """Return the five lines of the dry run of a run; *data* is the name of its source."""
    measured, _, other = found.assumed.partition(", WHICH HAD ")
    if measured.startswith("means"):
        had = f", WHICH HAD {other}" if other else ""
        ends = "; range: its cheapest to dearest"
        basis = [f"{measured}{had}{ends}", f"means of the pilot{had}{ends}", f"means of the pilot{had}"]
    else:
        calls = [re.findall(r"\d+", one.basis)[-1] for one in (found.least, found.most)]
        spread = "" if found.least == found.most else f" ({calls[0]} to {calls[1]})"
        rule = f"rule of thumb, {found.likely.basis}{spread}"
        basis = [f"{rule}; thinking takes more", rule]
    asked = f"nothing was asked: {_short(found.model)}, tools {_short(found.condition)}"
    probe = "" if found.probe is None else f"the probe adds {_money(found.probe)}; "
    return [
        _fitting(f"{asked}, data {_end(data, COLUMNS - len(asked) - 7)}", asked),
        _samples(found.samples, found.subjects, found.tasks),
        _cost(found.least, found.likely, found.most),
        _fitting(*(f"basis: {one}" for one in basis)),
        f"{probe}--verbose prints prompts and all assumptions",
    ]


def preview_lines(found: Preview) -> list[str]:
    """Return the five lines of the dry run of a study, and lines on what its repeats cannot show, if any."""
    runs = sum(cell.epochs * cell.wordings for cell in found.cells)
    models = len({cell.model for cell in found.cells})
    arms = f"{plural(runs, 'run')} of {plural(len({cell.arm for cell in found.cells}), 'arm')}"
    arms += f" and {models} models" if models > 1 else ""
    family = f"{plural(len(found.contrasts), 'contrast')}, family of {plural(found.tests, 'test')}"
    asked = f"nothing was asked: study {_short(found.name)}, {arms}"
    return [
        _fitting(f"{asked}, {family}", f"{asked}, {plural(found.tests, 'test')}", asked),
        _sources(found.sources),
        _cost(found.least, found.likely, found.most),
        _fitting(*(f"basis: {one}; --verbose has all of it" for one in _basis(found))),
        _detected(found),
        *found.noise,
    ]


def _basis(found: Preview) -> Iterable[str]:
    """Yield what the cost estimate of a study is based on, first in full, then shorter."""
    counted = [name for name, part in (("probes", found.probes), ("canaries", found.canaries)) if part is not None]
    within = f"; {' and '.join(counted)} counted" if counted else ""
    measured = sum(cell.measured_in is not None for cell in found.cells)
    rule, pilot = "rules of thumb, range from 1 call to the limit", "the pilot, range from its cheapest to its dearest"
    if measured not in {0, len(found.cells)}:
        rule = pilot = f"the pilot for {measured} of {len(found.cells)} cells, else rules of thumb"
    yield f"{pilot if measured else rule}{within}"
    yield pilot if measured else rule


def _cost(least: Spending, likely: Spending, most: Spending) -> str:
    """Return the line with the likely cost in US dollars and its range, or the tokens where no prices are known."""
    tokens = f"{_tokens(likely.input_tokens)} tokens in, {_tokens(likely.output_tokens)} out"
    if likely.usd is None or least.usd is None or most.usd is None:
        ends = [f"{_tokens(one.input_tokens)} and {_tokens(one.output_tokens)}" for one in (least, most)]
        spread = "" if least == most else f" ({ends[0]} to {ends[1]})"
        return _fitting(f"likely cost: no prices known; {tokens}{spread}", f"likely cost: {tokens}{spread}")
    spread = "" if least.usd == most.usd else f" ({_usd(least.usd)} to {_usd(most.usd)})"
    cost = f"likely cost: {_usd(likely.usd)} US dollars{spread}"
    return _fitting(f"{cost}; {tokens}", cost)


def _usd(usd: float) -> str:
    """Return US dollars with four decimals, or with two from 10 dollars on."""
    return f"{usd:.4f}" if usd < 10 else f"{usd:,.2f}"


def _tokens(count: int) -> str:
    """Return a number of tokens with at least three digits: 950, 108k, 1.33M."""
    if count < 100_000:
        return f"{count:,}"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1e6:,.2f}M"


def _money(row: Spending) -> str:
    """Return the cost of a row in US dollars, or its tokens where no prices are known."""
    return f"{_tokens(row.input_tokens + row.output_tokens)} tokens" if row.usd is None else f"{_usd(row.usd)} dollars"


def _samples(samples: int, subjects: int, tasks: Mapping[TaskName, int]) -> str:
    """Return the line with the numbers of samples, in total and by task (or of tasks), and of subjects."""
    of, each = plural(subjects, "subject"), ", ".join(f"{task} {count}" for task, count in tasks.items())
    head = plural(samples, "sample")
    return _fitting(f"{head} ({each}) of {of}", f"{head} of {of} in {plural(len(tasks), 'task')}")


def _sources(every: Sequence[PlannedSource]) -> str:
    """Return the line with the numbers of samples and subjects, by source if there are several."""
    if len(every) == 1:
        one = every[0]
        return _samples(one.samples, one.subjects, one.tasks)
    each = [f"{plural(one.samples, 'sample')} of {plural(one.subjects, 'subject')} in {one.source}" for one in every]
    total = sum(one.samples for one in every)
    return _fitting("; ".join(each), f"{plural(total, 'sample')} in {plural(len(every), 'source')}")


class _Found(NamedTuple):
    """Range of the smallest detectable difference of one task, over the assumed correlations within subjects."""

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        low, high = f"{self.low:.2f}", f"{self.high:.2f}"
        return low if low == high else f"{low} to {high}"


def _detected(found: Preview) -> str:
    """Return the line with the smallest difference that a test detects, by task or as a range over tasks."""
    several = len(found.sources) > 1
    rows: dict[str, list[PowerPreview]] = {}
    for power in found.power:
        rows.setdefault(f"{power.source} {power.task}" if several else power.task, []).append(power)
    unclaimed = [name for name, powers in rows.items() if any(one.alone.withheld for one in powers)]
    values = {name: one for name, powers in rows.items() if name not in unclaimed and (one := _of_task(powers))}
    rest = f"no claim possible for {', '.join(unclaimed)}" if unclaimed else ""
    if not values:
        none = f"no claim possible for any task ({', '.join(unclaimed)})" if unclaimed else "no test is declared"
        head = "smallest difference detected at 80% power: "
        return _fitting(f"{head}{none}", f"{head}{none.partition(' (')[0]}")
    units = {one.unit for one in values.values()}
    head = f"smallest difference detected at 80% power, {' or '.join(sorted(units))}: "
    short = head.replace(" detected at ", " at ")
    each = ", ".join(f"{name} {one}" for name, one in values.items())
    low, high = min(one.low for one in values.values()), max(one.high for one in values.values())
    span = str(_Found(low, high, ""))
    more = f"; {rest}" if rest else ""
    count = f"; no claim for {plural(len(unclaimed), 'task')}" if unclaimed else ""
    return _fitting(f"{head}{each}{more}", f"{short}{each}{more}", f"{short}{span}{more}", f"{short}{span}{count}")


def _of_task(powers: Sequence[PowerPreview]) -> _Found | None:
    """Return the range of the smallest detectable difference of a task; None if no test can detect any.

    It is in loss where the spread was measured, else in standard deviations (sd).
    """
    measured = all(one.alone.in_metric is not None for one in powers)
    found = [one.alone.in_metric if measured else one.alone.in_sd for one in powers]
    values = [value for value in found if value is not None]
    return _Found(min(values), max(values), "in loss" if measured else "in sd") if values else None


def _fitting(*lines: str) -> str:
    """Return the first of *lines* that fits into 80 columns; if none does, the start of the last one."""
    last = lines[-1]
    cut = last if len(last) <= COLUMNS else f"{last[: COLUMNS - 3]}..."
    return next((line for line in lines if len(line) <= COLUMNS), cut)


def _short(name: str) -> str:
    """Return a name, cut to 30 characters if it is longer."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."


def _end(path: str, room: int) -> str:
    """Return a path; if it is longer than *room* characters, its end after "..."."""
    return path if len(path) <= room else f"...{path[len(path) - max(room, 10) + 3 :]}"
