"""A dry run in five lines: what would be asked, the likely cost with its range, and what that rests on."""

from collections.abc import Iterable, Mapping

from medvision_agent.eval.asking.estimate import Estimate, Spending
from medvision_agent.eval.study.plan import PlannedSource
from medvision_agent.eval.study.preview import PowerPreview, Preview
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural

__all__ = ["estimate_lines", "preview_lines"]

_THUMB = "rules of thumb (thinking takes more)"


def estimate_lines(found: Estimate, data: str) -> list[str]:
    """Return the lines of a run."""
    probe = [] if found.probe is None else [f"the probe adds {_money(found.probe)}"]
    if found.assumed.startswith("means"):
        rests = f"{found.assumed}; range: every sample as the cheapest or the dearest there"
    else:
        spread = f"; range: 1 to {found.most.basis}" if len(found.spending) > 1 else ""
        rests = f"{_THUMB}: {found.likely.basis}{spread}"
    return [
        f"nothing was asked: {found.model}, tools {found.condition}, data {data}",
        f"{plural(found.samples, 'sample')} ({_counts(found.tasks)}) of {plural(found.subjects, 'subject')}",
        _likely(found.least, found.likely, found.most),
        "; ".join([f"basis: {rests}", *probe]),
        "--verbose prints the prompts and all assumptions",
    ]


def preview_lines(found: Preview) -> list[str]:
    """Return the lines of a study, and below them what its repeats cannot show."""
    runs = sum(cell.epochs * cell.wordings for cell in found.cells)
    measured = sum(cell.measured_in is not None for cell in found.cells)
    basis = f"{_THUMB}: a few calls a sample; range: 1 call to the limit"
    if measured:
        means = "the pilot's means; range: every sample as its cheapest or dearest"
        basis = (
            means if measured == len(found.cells) else f"{means}, for {measured} of {len(found.cells)} arms; {basis}"
        )
    counted = [name for name, part in (("probes", found.probes), ("canaries", found.canaries)) if part is not None]
    within = f"; {' and '.join(counted)} counted" if counted else ""
    samples = "; ".join(_source(one, found.sources) for one in found.sources)
    arms = f"{plural(runs, 'run')} of {plural(len(found.cells), 'arm')}"
    declared = f"{plural(len(found.contrasts), 'contrast')}, family of {plural(found.tests, 'test')}"
    return [
        f"nothing was asked: study {found.name}, plan {found.sha256[:12]}, {arms}; {samples}",
        _likely(found.least, found.likely, found.most),
        f"basis: {basis}{within}",
        f"smallest difference detected with 80 % power: {_detected(found)}",
        f"{declared}; --verbose prints each arm and all assumptions",
        *found.noise,
    ]


def _likely(least: Spending, likely: Spending, most: Spending) -> str:
    tokens = f"{likely.input_tokens:,} tokens in, {likely.output_tokens:,} out"
    if likely.usd is None or least.usd is None or most.usd is None:
        spread = (
            ""
            if least == most
            else (
                f" (from {least.input_tokens:,} and {least.output_tokens:,} to {most.input_tokens:,} and "
                f"{most.output_tokens:,})"
            )
        )
        return f"likely cost: no prices known; {tokens}{spread}"
    spread = "" if least.usd == most.usd else f" (from {least.usd:.4f} to {most.usd:.4f})"
    return f"likely cost: {likely.usd:.4f} US dollars{spread}; {tokens}"


def _money(row: Spending) -> str:
    if row.usd is None:
        return f"{row.input_tokens + row.output_tokens:,} tokens"
    return f"{row.usd:.4f} US dollars"


def _counts(tasks: Mapping[TaskName, int]) -> str:
    return ", ".join(f"{task} {count}" for task, count in tasks.items())


def _source(one: PlannedSource, every: Iterable[PlannedSource]) -> str:
    where = f"{one.source}: " if len(tuple(every)) > 1 else ""
    return f"{where}{plural(one.samples, 'sample')} ({_counts(one.tasks)}) of {plural(one.subjects, 'subject')} in each"


def _detected(found: Preview) -> str:
    """Return the smallest difference of each task, a range where the correlation within subjects is not known."""
    several = len(found.sources) > 1
    rows: dict[str, list[PowerPreview]] = {}
    for power in found.power:
        rows.setdefault(f"{power.source}, {power.task}" if several else power.task, []).append(power)
    unclaimed = [name for name, powers in rows.items() if any(one.alone.withheld for one in powers)]
    said = [f"{name} {_of_task(powers)}" for name, powers in rows.items() if name not in unclaimed]
    said += [f"no claim possible for {', '.join(unclaimed)}"] if unclaimed else []
    return "; ".join(said) or "no test is declared"


def _of_task(powers: list[PowerPreview]) -> str:
    measured = all(one.alone.in_metric is not None for one in powers)
    found = [one.alone.in_metric if measured else one.alone.in_sd for one in powers]
    values = [value for value in found if value is not None]
    if not values:
        return "none"
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return f"{low if low == high else f'{low} to {high}'} {'in loss' if measured else 'sd'}"
