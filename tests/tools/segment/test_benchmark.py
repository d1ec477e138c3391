"""The benchmark of the tools that outline: its phantoms, its intervals, and the page it writes into."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from medvision_agent.tools.segment.contour import measure_mask

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Return a module of the benchmark by its name; none of them stays imported."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(FOLDER)):
            del sys.modules[name]


def test_phantoms_have_the_axes_they_state(benchmark):
    phantoms = benchmark("hard_phantoms")
    for condition in phantoms.CONDITIONS:
        case = phantoms.phantom(condition, 0)
        ellipse = measure_mask(case.mask, case.image.spacing).ellipse
        # A mask of whole pixels is rough where they are 5 mm high.
        limit = 4.0 if condition == "8:1 pixels" else 0.5
        assert (ellipse.major_mm, ellipse.minor_mm) == pytest.approx(case.axes, abs=limit), condition


def test_an_interval_counts_subjects_not_answers(benchmark):
    judging = benchmark("judging")
    losses = np.random.default_rng(0).uniform(0, 1, 20)

    def found(repeats):
        each = np.repeat(losses, repeats)
        return [judging.Judged("", str(at // repeats), float(loss), 1, False, 1) for at, loss in enumerate(each)]

    mean, low, high = judging.mean_interval(found(1))
    assert low < mean < high
    assert mean == pytest.approx(losses.mean())
    assert judging.mean_interval(found(5)) == pytest.approx((mean, low, high))
    assert high - low == pytest.approx(2 * 1.96 * losses.std() / np.sqrt(20), rel=0.15)


def test_a_table_has_a_row_for_each_method_and_a_cell_for_each_set(benchmark):
    tools, judging = benchmark("tools"), benchmark("judging")
    answers = [judging.Judged("g", subject, 0.25, 0.5, False, 3) for subject in "ab"]
    sets = {"masks": {("exact", "outline"): answers, ("seed", "outline"): answers}, "packages": {}}
    lines = tools.main_table(sets)
    assert lines[2] == "| exact box | outline | **0.250** (0.250-0.250) | 0.50 | 0 | 3, 3 | - | - | - | - |"
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1


def test_what_is_written_stands_between_the_marks(benchmark, tmp_path):
    tools, page = benchmark("tools"), tmp_path / "page.md"
    page.write_text(f"before\n{tools.BEGIN}\nold\n{tools.END}\nafter\n", encoding="utf-8")
    for text in ("new", "newer"):
        tools.write(page, text)
        assert page.read_text(encoding="utf-8") == f"before\n{tools.BEGIN}\n\n{text}\n\n{tools.END}\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match="nothing was written"):
        tools.write(page, "text")
    assert page.read_text(encoding="utf-8") == "no marks"
