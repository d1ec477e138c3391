"""How good are the tools that outline, on real masks? Every method with the prompts that a model may give it.

Loss: mean relative error of both axes, each capped at 1; a failure costs 1. Intervals: 95 %, jackknife over subjects.
The settings of the outline method are chosen on one half of the subjects of ``--masks`` and judged on the other, both
ways; the halves are a hash of the subject's name. Masks that packages bring (``--packages``: unpacked as
``scripts/build_demo.py`` does it) take no part in the choice and are judged with the shipped settings.

Usage: python benchmarks/tools.py --masks DIR [--packages DIR] [--write docs/tools.md]

"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from confidences import MIX, Answer, answers, bins, brier
from outline_settings import Chosen, Finds, axes_error, relative_error, tried
from real_masks import PROMPTS, REGIONS, Case, read_folder, read_packages

from medvision_agent.errors import ToolError
from medvision_agent.eval.compare.statistics.jackknife import by_subject, jackknife
from medvision_agent.tools.segment.candidates import Candidate, Prompt, SeedSettings
from medvision_agent.tools.segment.methods import thresholded
from medvision_agent.tools.segment.outline import Settings
from medvision_agent.tools.segment.watershed import watershed
from medvision_agent.tools.view.geometry import Region

BEGIN, END = "<!-- begin: benchmarks/tools.py -->", "<!-- end: benchmarks/tools.py -->"
SHIPPED = Chosen(Settings(), SeedSettings())
DRAWS = {"side": 2, "image": 2, "seed off": 2}
"""Draws of a noisy prompt that are judged; the choice of settings saw another."""
NAMES = {
    "exact": "exact box",
    "margin": "box + 20 % margin",
    "side": "edges off by 10 % of the side",
    "image": "edges off by 4 % of the image",
    "seed": "seed at the centre",
    "seed off": "seed off by 10 %",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer to one prompt."""

    group: str
    subject: str
    loss: float
    iou: float
    failed: bool
    ms: float


def judge(find: Finds, cases: Iterable[Case], kind: str) -> list[Judged]:
    """Return how a method does on one kind of prompt."""
    found = []
    for case in cases:
        for draw in range(1, 1 + DRAWS.get(kind, 1)):
            prompt, start = case.prompt(kind, draw), time.process_time()
            try:
                best = find(case, prompt)[0].measured
            except ToolError:
                best = None
            ms = 1000 * (time.process_time() - start)
            error, iou = (1.0, 0.0) if best is None else (relative_error(best, case), _iou(best.box, case.box))
            found.append(Judged(case.group, case.subject, error, iou, best is None, ms))
    return found


def judge_box(cases: Iterable[Case], kind: str) -> list[Judged]:
    """Return how the box itself does, its sides for axes."""
    found = []
    for case in cases:
        for draw in range(1, 1 + DRAWS.get(kind, 1)):
            box, spacing = case.prompt(kind, draw).region or case.image.region, case.image.spacing
            sides = box.width * spacing.width_mm, box.height * spacing.height_mm
            found.append(Judged(case.group, case.subject, axes_error(sides, case), _iou(box, case.box), False, 0.0))
    return found


def by_threshold(case: Case, prompt: Prompt) -> list[Candidate]:
    """Return what one threshold finds when it is told whether the structure is bright or dark."""
    mask = case.mask.astype(np.uint8)
    around = (cv2.dilate(mask, np.ones((9, 9), np.uint8)) > 0) & ~case.mask
    grey = case.image.grey
    bright = not around.any() or grey[case.mask].mean() >= grey[around].mean()
    return [Candidate(thresholded(case.image, prompt, "bright" if bright else "dark"), 0.0)]


def table(cases: Sequence[Case], outline: Finds) -> list[str]:
    """Return the lines of a table: prompts down, methods across."""
    lines = ["| prompt | the box itself | outline | watershed | threshold |", "|---|---|---|---|---|"]
    for kind in PROMPTS:
        seed = kind not in REGIONS
        cells = ["-" if seed else _cell(judge_box(cases, kind)), _cell(judge(outline, cases, kind))]
        cells += ["-" if seed else _cell(judge(lambda case, prompt: watershed(case.image, prompt), cases, kind))]
        cells += [_cell(judge(by_threshold, cases, kind))]
        lines.append(f"| {NAMES[kind]} | {' | '.join(cells)} |")
    return lines


def groups_table(cases: Sequence[Case], outline: Finds) -> list[str]:
    """Return the lines of a table: groups down, the box and the outline for each prompt."""
    kinds = ("exact", "margin", "side", "seed")
    lines = [
        "| group | cases, subjects | " + " | ".join(NAMES[kind] for kind in kinds) + " |",
        "|---|---|---|---|---|---|",
    ]
    for group in dict.fromkeys(case.group for case in cases):
        own = [case for case in cases if case.group == group]
        cells = []
        for kind in kinds:
            mean = np.mean([one.loss for one in judge(outline, own, kind)])
            box = "" if kind == "seed" else f" ({np.mean([one.loss for one in judge_box(own, kind)]):.3f})"
            cells.append(f"{mean:.3f}{box}")
        lines.append(f"| {group} | {len(own)}, {len({case.subject for case in own})} | {' | '.join(cells)} |")
    return lines


def confidence(cases: Sequence[Case], crossed: Finds, shipped: Finds) -> list[str]:
    """Return the lines on confidence: shares by bins of the shipped settings, cross-fitted Brier scores."""
    lines = [
        "| candidate | cost up to | good | answers, subjects | Brier score | of the base rate |",
        "|---|---|---|---|---|---|",
    ]
    for prompt in MIX:
        every, fair = answers(shipped, cases, prompt), answers(crossed, cases, prompt)
        for rank in range(3):
            known = bins(_ranked(every, rank))
            own = _ranked(fair, rank)
            scores = [f"{one:.3f}" for one in brier(own)] if known and bins(own) else ["-", "-"]
            name = f"{prompt}, {('first', 'second', 'third')[rank]}"
            if not known:
                lines.append(f"| {name} | - | not shown | {len(_ranked(every, rank))} answers | - | - |")
            for number, one in enumerate(known):
                limit = f"{one.limit:.2f}" if number < len(known) - 1 else "any"
                tail = scores if number == 0 else ["", ""]
                size = f"{one.answers}, {one.subjects}"
                lines.append(f"| {name} | {limit} | {one.share:.2f} | {size} | {tail[0]} | {tail[1]} |")
    return lines


def _ranked(given: Sequence[Answer], rank: int) -> list[Answer]:
    return [one for one in given if one.rank == rank]


def _cell(found: Sequence[Judged]) -> str:
    sizes, sums = by_subject([one.subject for one in found], [one.loss for one in found])
    mean = jackknife(sums, sizes)
    failed = np.mean([one.failed for one in found])
    iou, ms = np.mean([one.iou for one in found]), [one.ms for one in found]
    text = f"**{float(mean.estimate):.3f}** ± {float(mean.margin(0.95)):.3f}; IoU {iou:.2f}"
    text += f"; {100 * failed:.0f} % failed" if failed else ""
    return text + (f"; {np.median(ms):.0f} ms, worst {max(ms):.0f}" if max(ms) > 0 else "")


def _iou(one: Region, other: Region) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    common = max(0.0, width) * max(0.0, height)
    return common / (one.width * one.height + other.width * other.height - common)


def main() -> None:
    """Choose or take the settings, judge every method, print the tables and write them where told to."""
    parser = argparse.ArgumentParser(description="Tools on real masks")
    parser.add_argument("--masks", type=Path, required=True, help="folder of cases: index.json and ID.npz")
    parser.add_argument("--packages", type=Path, help="folder of unpacked packages")
    parser.add_argument("--write", type=Path, help="put the tables between the marks of this file")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    cases = list(read_folder(options.masks))
    trials = tried(cases)
    halves = [trials.chosen(half) for half in (0, 1)]
    every = trials.chosen(None)
    for name, one in (("half 0", halves[0]), ("half 1", halves[1]), ("all", every)):
        print(f"chosen on {name}: {one}")
    print("shipped settings are those chosen on all:", every == SHIPPED)

    def crossed(case: Case, prompt: Prompt) -> list[Candidate]:
        return halves[1 - case.half].find(case, prompt)

    subjects = len({case.subject for case in cases})
    lines = [f"{len(cases)} cases of {subjects} subjects, settings cross-fitted:", "", *table(cases, crossed), ""]
    lines += ["The outline by group, the box itself in brackets:", "", *groups_table(cases, crossed), ""]
    lines += ["Confidence:", "", *confidence(cases, crossed, SHIPPED.find), ""]
    if options.packages:
        others = list(read_packages(options.packages))
        count = f"{len(others)} masks of {len({case.subject for case in others})} subjects"
        lines += [
            f"Masks of packages, {count}, which took no part in any choice:",
            "",
            *table(others, SHIPPED.find),
            "",
        ]
        lines += groups_table(others, SHIPPED.find)
    text = "\n".join(lines).rstrip()
    print(text)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        options.write.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
