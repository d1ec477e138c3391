"""The common style of all figures: widths, font sizes, lines, colours, and the order of shapes.

Contract: a panel is one column of a journal wide, which is also the width of a phone, so that text keeps its size in
both. No meaning depends on colour alone: each colour goes with its own shape or dash. ``tests/eval/figures`` checks the
numbers stated here: the distances between colours, also for colour-blind readers, and the contrast.
"""

from typing import Any, NamedTuple

__all__ = ["BACK", "COLUMN", "DASHES", "GRID", "INK", "LINE", "MARK", "MUTED", "RAMP", "ROW", "SERIES", "SETTINGS"]
__all__ += ["SHAPES", "SMALL_MARK", "SOFT", "TEXT", "THIN", "TITLE", "VARIABLES", "Colour", "Look", "variables"]

COLUMN = 3.5
"""Width of a panel in inches: a journal's column, and 336 CSS pixels."""
ROW = 0.42
"""Height of a row in inches, with its name above it."""
TEXT, TITLE = 8.5, 9.5
"""Font sizes in points; 8.5 points are 11.3 CSS pixels."""
THIN, LINE = 0.8, 1.8
"""Widths of lines in points: axes and references, data."""
SMALL_MARK, MARK = 3.5, 6.5
"""Sizes of marks in points: one sample, one arm."""


class Colour(NamedTuple):
    """A colour for paper and light pages, and its counterpart for dark pages."""

    variable: str
    """Its variable in the page's style sheet."""
    light: str
    dark: str


_INK = Colour("ink", "#1b1f24", "#e6eaee")
_MUTED = Colour("muted", "#59626c", "#a5b0ba")
_GRID = Colour("grid", "#d9dee3", "#333b44")
_SOFT = Colour("soft", "#eef1f4", "#222a32")
_BACK = Colour("back", "#fffffe", "#14181d")
INK, MUTED, GRID, SOFT, BACK = (one.light for one in (_INK, _MUTED, _GRID, _SOFT, _BACK))
"""Text; axes and references; grid lines; areas; the background of a figure."""
SERIES = (
    Colour("c1", "#c77700", "#e58a1f"),
    Colour("c2", "#0a4f96", "#6fb1f7"),
    Colour("c3", "#638f61", "#4ff0a8"),
    Colour("c4", "#933a6f", "#a16890"),
    Colour("c5", "#866dd9", "#7f62fa"),
    Colour("c6", "#069eb5", "#d5f5f8"),
    Colour("c7", "#69002c", "#ea3558"),
    Colour("c8", "#666020", "#f5e840"),
)
"""Colours of arms, in palette order (``arms``). Any two are at least 20 apart in CIELAB, in normal vision and in
simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009, full severity), and all stand out from the page
by 3 to 1."""
RAMP = (
    Colour("r1", "#e3eef9", "#173049"),
    Colour("r2", "#b7d3ee", "#1f4a73"),
    Colour("r3", "#7fb0df", "#2a6398"),
    Colour("r4", "#2f6fb0", "#7ab4ea"),
    Colour("r5", "#08366b", "#cfe6fb"),
)
"""Colours for amounts from small to large, in even steps of lightness."""
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (9, 2)), (0, (3, 1, 1, 1, 1, 1)))


class Look(NamedTuple):
    """How one arm or group is drawn: colour, shape of its marks, and dash of its lines."""

    colour: str
    shape: str
    """A matplotlib marker."""
    dash: Any = "-"
    """A matplotlib line style."""
    filled: bool = True

    @property
    def face(self) -> str:
        """The fill colour of a mark; "none" for a mark that is not filled."""
        return self.colour if self.filled else "none"


_ALL = (_INK, _MUTED, _GRID, _SOFT, _BACK, *SERIES, *RAMP)
VARIABLES = {one.light: f"var(--{one.variable})" for one in _ALL}
"""The page's variable for each paper colour."""


def variables(*, dark: bool) -> str:
    """Return CSS declarations of the colours that only figures use, for light pages, or with *dark* for dark ones."""
    return " ".join(f"--{one.variable}: {one.dark if dark else one.light};" for one in (*SERIES, *RAMP))


SETTINGS: dict[str, Any] = {
    "figure.dpi": 72,
    "text.hinting": "none",  # makes words equally wide in the layout and in the files
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": TEXT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.edgecolor": MUTED,
    "axes.linewidth": THIN,
    "axes.titlesize": TITLE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": THIN,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "legend.fontsize": TEXT,
    "lines.linewidth": LINE,
    "lines.markersize": MARK,
    "lines.solid_capstyle": "butt",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
"""matplotlib's settings."""
