"""Nothing is cut off, and no two words lie on one another: in a panel by itself, and on a sheet."""

from itertools import combinations

import pytest
from drawn import EVERY

from medvision_agent.eval.figures.canvas import drawing, laid_out, saved, sheet, single
from medvision_agent.eval.figures.style import COLUMN, TEXT


def drawn_once(made):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(made).draw()


def words_of(made):
    """Return every text that a laid-out sheet shows, with its place in pixels."""
    from matplotlib.text import Text

    drawn_once(made)
    axes = set(made.axes)
    ticks = {label for one in axes for axis in (one.xaxis, one.yaxis) for label in _labels(axis, every=True)}
    shown = {label for one in axes for axis in (one.xaxis, one.yaxis) for label in _labels(axis, every=False)}
    found = [one for one in made.findobj(Text) if one.get_text().strip() and one not in ticks - shown]
    return [(one, one.get_window_extent()) for one in found]


def _labels(axis, *, every):
    ticks = axis.get_major_ticks() + axis.get_minor_ticks() if every else axis._update_ticks()
    return [label for tick in ticks for label in ((tick.label1, tick.label2) if every else (tick.label1,))]


@pytest.mark.parametrize("name", EVERY)
def test_a_panel_is_one_column_and_holds_its_words(name):
    figure = EVERY[name]()
    with drawing(name):
        for panel in figure.panels:
            made = single(panel)
            assert made.get_figwidth() == COLUMN
            _holds(made)


@pytest.mark.parametrize("name", EVERY)
def test_a_sheet_holds_its_words(name):
    figure = EVERY[name]()
    with drawing(name):
        _holds(sheet(figure))


def _holds(made):
    words = words_of(made)
    assert len(words) > 3
    for text, box in words:
        assert text.get_fontsize() >= TEXT
        place = (box.x0, box.y0, made.bbox.x1 - box.x1, made.bbox.y1 - box.y1)
        assert min(place) >= -0.5, (text.get_text(), place)
    for (one, a), (other, b) in combinations(words, 2):
        apart = max(a.x0 - b.x1, b.x0 - a.x1, a.y0 - b.y1, b.y0 - a.y1)
        assert apart > -1.5, (one.get_text(), other.get_text(), apart)


@pytest.mark.parametrize("name", EVERY)
def test_marks_lie_within_the_frame(name):
    figure = EVERY[name]()
    with drawing(name):
        for panel in figure.panels:
            made = single(panel)
            drawn_once(made)
            for line in made.axes[0].lines:
                if len(line.get_xdata()) and line.get_transform().contains_branch(made.axes[0].transData):
                    box = line.get_window_extent()
                    assert min(box.x0, box.y0, made.bbox.x1 - box.x1, made.bbox.y1 - box.y1) >= -0.5, line


@pytest.mark.parametrize("name", ["a_cost", "a_headroom", "a_ladder", "a_map"])
def test_a_layout_that_is_done_first_is_the_one_that_writing_would_do(name):
    for panel in EVERY[name]().panels:
        with drawing(name):
            by_writing = saved(single(panel), "svg")
            assert saved(laid_out(single(panel)), "svg") == by_writing
