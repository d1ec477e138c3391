"""Is the verdict calibrated? False positives at 5%, coverage at 95% and power, over simulated pairs of arms.

The arms (``tests/simulated_arms.py``) have losses within 0..1, failures that cost 1, subjects of unequal sizes and
correlated samples; tests and intervals are made by the very code a study uses (``eval.compare.statistics``). A naive
paired t-test, which takes samples for independent, runs beside it. *Weak nulls* have a true mean difference of 0, but
one arm is a little better nearly always and fails rarely. *Looks* looks at a study while it goes on: whenever five more
subjects are there, and at planned looks. *Equivalence* counts how often arms are called equivalent, *family* how often
a whole family of tests errs. Prints tables, and writes them only where told to.

Usage: python benchmarks/calibration.py [--replicates 10000] [--only looks] [--out FILE]
"""

import argparse
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from rates import Rates, measure, measure_equivalence, measure_family, measure_looks, measure_weak
from simulated_arms import Cell, WeakNull, sizes_of

SUBJECTS = (20, 40, 100)
CORRELATIONS = (0.0, 0.3, 0.7)
SIZES = ("equal", "linear", "exponential", "one giant")
EFFECT = 0.42
"""The mean latent loss of arm B in cells with a true difference; arm A's is 0.5."""
HEAD = (
    "| subjects | sizes | samples | effective | false positives | coverage | naive t: false positives "
    "| naive t: coverage | guarded: false positives |"
)
WEAK: dict[str, WeakNull] = {
    "5% harmed, 1 sample a subject": WeakNull(subjects=0, harmed=0.05, noise=0.1),
    "2% harmed, 1 sample a subject": WeakNull(subjects=0, harmed=0.02, noise=0.1),
    "1% harmed, low noise, 1 sample a subject": WeakNull(subjects=0, harmed=0.01, noise=0.02),
    "5% harmed, 6 samples a subject": WeakNull(subjects=0, harmed=0.05, noise=0.1, size=6),
    "power: -0.08, none harmed, 1 sample a subject": WeakNull(subjects=0, harmed=0.0, noise=0.25, effect=-0.08),
    "power: -0.08, 2% harmed, 6 samples a subject": WeakNull(subjects=0, harmed=0.02, noise=0.25, size=6, effect=-0.08),
}
"""Weak nulls, and effects under the same tests, at each number of subjects."""
WEAK_SUBJECTS = (20, 40, 60, 100)
LOOK_SUBJECTS = 100
LOOKS = ((0.5, 0.75, 1.0), (0.25, 0.5, 0.75, 1.0))
LOOKED: dict[str, WeakNull] = {
    "arms alike, 1 sample a subject": WeakNull(subjects=LOOK_SUBJECTS, harmed=0.0, noise=0.25),
    "arms alike, 6 samples a subject": WeakNull(subjects=LOOK_SUBJECTS, harmed=0.0, noise=0.25, size=6),
    "5% harmed, 1 sample a subject": WeakNull(subjects=LOOK_SUBJECTS, harmed=0.05, noise=0.1),
    "1% harmed, low noise, 1 sample a subject": WeakNull(subjects=LOOK_SUBJECTS, harmed=0.01, noise=0.02),
    "power: -0.08, 1 sample a subject": WeakNull(subjects=LOOK_SUBJECTS, harmed=0.0, noise=0.25, effect=-0.08),
}
EQUIVALENT: dict[str, WeakNull] = {
    "arms alike, 1 sample a subject": WeakNull(subjects=0, harmed=0.0, noise=0.25),
    "arms alike, 6 samples a subject": WeakNull(subjects=0, harmed=0.0, noise=0.25, size=6),
    "apart by the margin, 6 samples a subject": WeakNull(subjects=0, harmed=0.0, noise=0.25, size=6, effect=0.05),
    "5% harmed, 6 samples a subject": WeakNull(subjects=0, harmed=0.05, noise=0.1, size=6),
}
EQUIVALENT_SUBJECTS = (20, 60, 100, 150)
FAMILIES: dict[str, tuple[float, ...]] = {
    "no difference anywhere": (0.0, 0.0, 0.0, 0.0),
    "one primary difference of -0.06": (-0.06, 0.0, 0.0, 0.0),
    "all primary differences -0.06": (-0.06,) * 4,
    "all primary differences -0.12": (-0.12,) * 4,
}
HARD: dict[str, Cell] = {
    f"{name}, {subjects} subjects": cell
    for subjects in SUBJECTS
    for name, cell in {
        "skew, no difference: arms alike but for 2% failures each": Cell(
            subjects=subjects, sizes="linear", icc=0.3, common=1.0, fail_a=0.02, fail_b=0.02
        ),
        "skew, a difference: 0.1% failures in A, 5% in B": Cell(
            subjects=subjects, sizes="linear", icc=0.3, common=1.0, fail_a=0.001, fail_b=0.05
        ),
        "B fails on hard samples, 25%": Cell(
            subjects=subjects, sizes="linear", icc=0.3, mean_b=EFFECT, fail_b=0.25, hard=1.5
        ),
        "B lost to infrastructure at random, 20%": Cell(
            subjects=subjects, sizes="linear", icc=0.3, mean_b=EFFECT, lost_b=0.2
        ),
        "B lost on hard samples, 20%": Cell(
            subjects=subjects, sizes="linear", icc=0.3, mean_b=EFFECT, lost_b=0.2, fail_b=0.25, hard=1.5
        ),
    }.items()
}


def main() -> None:
    """Simulate all cells, print the tables and the rates that were reached."""
    parser = argparse.ArgumentParser(description="Calibration of the interval and the test")
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--only", choices=list(PARTS), help="only one part")
    parser.add_argument("--out", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    start = time.process_time()
    parts = [PARTS[options.only]] if options.only else PARTS.values()
    text = "\n\n".join("\n".join(part(options.replicates)) for part in parts)
    print(text)
    print(f"\n{options.replicates:,} replicates a cell; CPU {time.process_time() - start:.0f} s")
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


def _calibration(replicates: int) -> list[str]:
    lines = [
        HEAD,
        "|---|---|---|---|---|---|---|---|---|",
    ]
    missed, cells = [], 0
    for sizes in SIZES:
        for subjects in SUBJECTS:
            null = [_cell(replicates, subjects, sizes, icc, 0.5) for icc in CORRELATIONS]
            effect = [_cell(replicates, subjects, sizes, icc, EFFECT) for icc in CORRELATIONS]
            columns = (
                [rates.rejected for rates in null],
                [rates.covered for rates in effect],
                [rates.naive_rejected for rates in null],
                [rates.naive_covered for rates in effect],
                [rates.guarded for rates in null],
            )
            samples = int(sizes_of(sizes, subjects).sum())
            shown = " | ".join(" / ".join(f"{100 * rate:.1f}" for rate in column) for column in columns)
            lines.append(f"| {subjects} | {sizes} | {samples} | {null[0].effective:.1f} | {shown} |")
            for icc, one, other in zip(CORRELATIONS, null, effect, strict=True):
                cells += 1
                if not (one.guarded <= 0.05 and 0.93 <= other.covered <= 0.97):
                    missed.append(
                        f"{sizes}, {subjects} subjects, correlation {icc} "
                        f"({100 * one.guarded:.1f}%, {100 * other.covered:.1f}%)"
                    )
    reached = f"reached in {cells - len(missed)} of {cells} cells."
    lines += ["", f"Goal (guarded at most 5% false positives, 93-97% coverage) {reached}"]
    return [*lines, *(f"Not reached: {name}" for name in missed)]


def _cell(replicates: int, subjects: int, sizes: str, icc: float, mean_b: float) -> Rates:
    return measure(Cell(subjects=subjects, sizes=sizes, icc=icc, mean_b=mean_b), replicates)


def _weak(replicates: int) -> list[str]:
    lines = [
        f"| {' / '.join(map(str, WEAK_SUBJECTS))} subjects, rejected in % | t | t and Hall | guarded |",
        "|---|---|---|---|",
    ]
    worst = 0.0
    for name, cell in WEAK.items():
        found = [measure_weak(replace(cell, subjects=subjects), replicates) for subjects in WEAK_SUBJECTS]
        columns = ([one.t for one in found], [one.hall for one in found], [one.guarded for one in found])
        lines.append(f"| {name} | {' | '.join(' / '.join(f'{100 * rate:.1f}' for rate in one) for one in columns)} |")
        worst = max([worst, *columns[2]]) if cell.effect == 0 else worst
    return [*lines, "", f"Worst weak null, guarded: {100 * worst:.1f}% at 5% nominal (goal: at most 3.5%)."]


def _hard(replicates: int) -> list[str]:
    lines = [
        "| cell | true difference | rejected | coverage | complete pairs: coverage | bounds hold | their interval |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, cell in HARD.items():
        found = measure(cell, replicates, missing=True)
        complete = found.complete_covered if cell.common < 1 else None
        bounds = (found.bounds_held, found.bounds_covered) if cell.lost_b else (None, None)
        rates = (found.rejected, found.covered, complete, *bounds)
        shown = " | ".join("-" if rate is None else f"{100 * rate:.1f}" for rate in rates)
        without = f" (no interval: {100 * found.undefined / replicates:.1f}%)" if found.undefined else ""
        lines.append(f"| {name}{without} | {found.truth:+.3f} | {shown} |")
    return lines


def _looks(replicates: int) -> list[str]:
    heads = [f"{LOOK_SUBJECTS} subjects, rejected in %", "peeking every 5 subjects from 20 on"]
    heads += [f"looks at {' / '.join(f'{one:g}' for one in fractions)}: rejected, verdicts" for fractions in LOOKS]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    worst = 0.0
    for name, cell in LOOKED.items():
        found = [measure_looks(cell, fractions, replicates) for fractions in LOOKS]
        shown = " | ".join(f"{100 * one.looks:.1f}, {100 * one.verdicts:.1f}" for one in found)
        lines.append(f"| {name} | {100 * found[0].peeking:.1f} | {shown} |")
        if cell.effect == 0:
            worst = max([worst, *(one.verdicts for one in found)])
    return [*lines, "", f"Worst null, verdicts at planned looks: {100 * worst:.1f}% (goal: at most 5%)."]


def _equivalence(replicates: int) -> list[str]:
    heads = ["called equivalent within 0.05, in %", *(f"{count} subjects" for count in EQUIVALENT_SUBJECTS)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, cell in EQUIVALENT.items():
        found = [measure_equivalence(replace(cell, subjects=count), replicates) for count in EQUIVALENT_SUBJECTS]
        lines.append(f"| {name} | {' | '.join(f'{100 * one:.1f}' for one in found)} |")
    return lines


def _family(replicates: int) -> list[str]:
    heads = [
        "4 tasks x (1 primary + 5 secondary tests), 100 subjects, in %",
        "a true null is rejected: graph",
        "by Holm",
    ]
    heads += ["a primary difference is found: graph", "by Holm"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, effects in FAMILIES.items():
        found = measure_family(effects, 100, replicates)
        rates = (found.wrong, found.wrong_by_holm, found.found, found.found_by_holm)
        shown = " | ".join("-" if math.isnan(rate) else f"{100 * rate:.1f}" for rate in rates)
        lines.append(f"| {name} | {shown} |")
    return lines


PARTS = {
    "calibration": _calibration,
    "weak": _weak,
    "hard": _hard,
    "looks": _looks,
    "equivalence": _equivalence,
    "family": _family,
}


if __name__ == "__main__":
    main()
