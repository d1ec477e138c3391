"""How good are the tools that outline, on real masks? Every method with the prompts that a model may give.

Loss: mean relative error of both axes, each capped at 1; a failure costs 1. Intervals: 95%, bootstrap over subjects.
The settings of the outline method are chosen on one half of the subjects of ``--masks`` and judged on the other, both
ways; the halves are a hash of the subject's name. Masks that packages bring (``--packages``: unpacked as
``scripts/build_demo.py`` does it) and phantoms take no part in the choice and are judged with the shipped settings.

Usage: python benchmarks/tools.py [--masks DIR] [--packages DIR] [--write docs/tools.md]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from confidences import MIX, Answer, answers, bins, brier
from hard_phantoms import CONDITIONS, hard_phantoms
from judging import BOX, OUTLINE, Found, Judged, judged, mean_interval
from outline_settings import Chosen, Finds, tried
from real_masks import PROMPTS, Case, read_folder, read_packages

from medvision_agent.tools.segment.candidates import Candidate, Prompt, SeedSettings
from medvision_agent.tools.segment.outline import Settings

BEGIN, END = "<!-- begin: benchmarks/tools.py -->", "<!-- end: benchmarks/tools.py -->"
SHIPPED = Chosen(Settings(), SeedSettings())
NAMES = {
    "exact": "exact box",
    "margin": "box + 20% margin",
    "side": "edges off by 10% of the side",
    "image": "edges off by 4% of the image",
    "seed": "seed at the centre",
    "seed off": "seed off by 10%",
}
BRIEF = ("exact", "margin", "side", "seed")
"""Kinds of prompts that are told apart by group."""


def main_table(sets: dict[str, Found]) -> list[str]:
    """Return the main table: prompts and methods down, sets of images across."""
    head = ["prompt", "method"]
    for name in sets:
        head += [f"{name}: loss", "box IoU", "failed", "ms, worst"]
    lines = _head(head)
    every = dict.fromkeys(key for found in sets.values() for key in found)
    order = list(PROMPTS)
    for kind, method in sorted(every, key=lambda key: order.index(key[0])):
        cells = [cell for found in sets.values() for cell in _cells(found.get((kind, method), ()))]
        lines.append(_row([NAMES[kind], method, *cells]))
    return lines


def _cells(found: Sequence[Judged]) -> list[str]:
    if not found:
        return ["-"] * 4
    mean, low, high = mean_interval(found)
    ms, failed = [one.ms for one in found], np.mean([one.failed for one in found])
    times = f"{np.median(ms):.0f}, {max(ms):.0f}" if max(ms) > 0 else "-"
    return [
        f"**{mean:.3f}** ({low:.3f}-{high:.3f})",
        f"{np.mean([one.iou for one in found]):.2f}",
        f"{100 * failed:.0f}%" if failed else "0",
        times,
    ]


def groups_table(sets: Sequence[tuple[Sequence[Case], Found]]) -> list[str]:
    """Return the outline by group, the box itself in brackets."""
    lines = _head(["group", "cases, subjects", *(NAMES[kind] for kind in BRIEF)])
    for cases, found in sets:
        for group in dict.fromkeys(case.group for case in cases):
            own = [case for case in cases if case.group == group]
            size = f"{len(own)}, {len({case.subject for case in own})}"
            lines.append(_row([group, size, *(_beside_box(found, kind, group) for kind in BRIEF)]))
    return lines


def phantoms_table(cases: Sequence[Case], found: Found) -> list[str]:
    """Return the outline by condition, the box itself in brackets, and the other methods with a margin."""
    others = [method for kind, method in found if kind == "margin" and method not in (BOX, OUTLINE)]
    wide = [f"{method}, {NAMES['margin']}" for method in others]
    lines = _head(["condition", "phantoms", *(NAMES[kind] for kind in BRIEF), *wide])
    for condition, text in CONDITIONS.items():
        size = str(sum(case.group == condition for case in cases))
        cells = [_beside_box(found, kind, condition) for kind in BRIEF]
        cells += [f"{_mean(found['margin', method], condition):.3f}" for method in others]
        lines.append(_row([f"{condition}: {text}", size, *cells]))
    return lines


def _beside_box(found: Found, kind: str, group: str) -> str:
    box = f" ({_mean(found[kind, BOX], group):.3f})" if (kind, BOX) in found else ""
    return f"{_mean(found[kind, OUTLINE], group):.3f}{box}"


def _mean(found: Sequence[Judged], group: str) -> float:
    return float(np.mean([one.loss for one in found if one.group == group]))


def confidence_table(cases: Sequence[Case], crossed: Finds, shipped: Finds) -> list[str]:
    """Return the shares of good answers in the bins of the shipped settings, and cross-fitted Brier scores."""
    lines = _head(["candidate", "doubt up to", "good", "answers, subjects", "Brier score", "of the base rate"])
    for prompt in MIX:
        every, fair = answers(shipped, cases, prompt), answers(crossed, cases, prompt)
        for rank, word in enumerate(("first", "second", "third")):
            known, own = bins(_ranked(every, rank)), _ranked(fair, rank)
            scores = [f"{one:.3f}" for one in brier(own)] if known and bins(own) else ["-", "-"]
            if not known:
                lines.append(
                    _row([f"{prompt}, {word}", "-", "not shown", f"{len(_ranked(every, rank))}, few", "-", "-"])
                )
            for number, one in enumerate(known):
                limit = f"{one.limit:.3f}" if number < len(known) - 1 else "any"
                size = f"{one.answers}, {one.subjects}"
                lines.append(
                    _row([f"{prompt}, {word}", limit, f"{one.share:.2f}", size, *(scores if number == 0 else ["", ""])])
                )
    return lines


def _ranked(given: Sequence[Answer], rank: int) -> list[Answer]:
    return [one for one in given if one.rank == rank]


def _head(names: Sequence[str]) -> list[str]:
    return [_row(names), "|" + "---|" * len(names)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cross_fitted(cases: Sequence[Case]) -> Finds:
    """Choose settings on each half of the subjects; return the method that answers each half with the other's."""
    trials = tried(cases)
    halves, every = [trials.chosen(half) for half in (0, 1)], trials.chosen(None)
    for name, one in (("half 0", halves[0]), ("half 1", halves[1]), ("all", every)):
        print(f"chosen on {name}: {one}")
    print("shipped settings are those chosen on all:", every == SHIPPED)

    def crossed(case: Case, prompt: Prompt) -> list[Candidate]:
        return halves[1 - case.half].find(case, prompt)

    return crossed


def report(masks: Sequence[Case], packages: Sequence[Case]) -> str:
    """Choose settings, judge every method, and return the tables."""
    sets: list[tuple[Sequence[Case], Found]] = []
    named: dict[str, Found] = {}
    confidence: list[str] = []
    counts = []
    if masks:
        crossed = cross_fitted(masks)
        sets.append((masks, judged(masks, crossed)))
        named["masks"] = sets[-1][1]
        counts.append(f"masks: {_counted(masks)}, settings cross-fitted")
        confidence = ["Confidence:", "", *confidence_table(masks, crossed, SHIPPED.find), ""]
    if packages:
        sets.append((packages, judged(packages, SHIPPED.find)))
        named["packages"] = sets[-1][1]
        counts.append(f"packages: {_counted(packages)}, which took no part in any choice")
    phantoms = list(hard_phantoms())
    lines = [f"{'; '.join(counts)}.", "", *main_table(named), ""] if named else []
    lines += ["The outline by group, the box itself in brackets:", "", *groups_table(sets), ""] if sets else []
    lines += confidence
    lines += ["Phantoms, the outline with the box itself in brackets, and the other methods:", ""]
    return "\n".join(lines + phantoms_table(phantoms, judged(phantoms, SHIPPED.find, BRIEF)))


def _counted(cases: Sequence[Case]) -> str:
    return f"{len(cases)} cases of {len({case.subject for case in cases})} subjects"


def write(page: Path, text: str) -> None:
    """Put a text between the marks of a page; exits where the page has no marks."""
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page}: expected the lines {BEGIN} and {END}; nothing was written")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Judge every method on the given images, print the tables, and write them to the given page."""
    parser = argparse.ArgumentParser(description="Tools on real masks and phantoms")
    parser.add_argument("--masks", type=Path, help="folder of cases: index.json and ID.npz")
    parser.add_argument("--packages", type=Path, help="folder of unpacked packages")
    parser.add_argument("--write", type=Path, help="put the tables between the marks of this file")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    masks = list(read_folder(options.masks)) if options.masks else []
    text = report(masks, list(read_packages(options.packages)) if options.packages else [])
    print(text)
    if options.write:
        write(options.write, text)


if __name__ == "__main__":
    main()
