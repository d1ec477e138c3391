"""One picture with what is drawn on it, as SVG: the pixels as PNG, every mark as a vector."""

from collections.abc import Sequence

from markupsafe import Markup

from medvision_agent.eval.report.model import Mark

__all__ = ["KEY", "overlay_svg"]

KEY = (
    "Ground truth: green, dashed, round ends. Answer: orange, solid, square ends. Measured besides: blue, thin, no "
    "ends. Crops the model looked at: white, dotted. A response is the model's own words, shown as plain text."
)
"""What the marks mean; none of them is told by its colour alone."""
_SIDE = 300.0
_LOOK = {
    "truth": ("#3fe08a", 2.5, "7 4"),
    "final": ("#ff9a3d", 2.5, ""),
    "other": ("#6cc3ff", 1.2, ""),
    "view": ("#ffffff", 1.2, "1.5 3"),
}
"""Colour, width, dashes. The ground is always black: a picture's colours do not follow the page."""


def overlay_svg(
    name: str, png: str, aspect: float, truth: Sequence[Mark], marks: Sequence[Mark], *, words: tuple[str, str], of: str
) -> Markup:
    """Return an ``svg`` element; *words* are its title and description, *of* the panel whose picture is used again."""
    width, height = (_SIDE, _SIDE / aspect) if aspect >= 1 else (_SIDE * aspect, _SIDE)
    parts = [_picture(name, png, width, height, of)]
    parts += [_mark(mark, "truth", width, height) for mark in truth]
    order = sorted(marks, key=lambda mark: mark.final and mark.shape != "view")
    parts += [_mark(mark, _kind(mark), width, height) for mark in order]
    title, description = words
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{title}</title>'
        '<desc id="{name}-desc">{description}</desc>{parts}</svg>'
    ).format(
        width=_n(width),
        height=_n(height),
        name=name,
        title=title,
        description=description,
        parts=Markup("").join(parts),
    )


def _picture(name: str, png: str, width: float, height: float, of: str) -> Markup:
    if not png:
        return Markup(
            '<text x="{x}" y="{y}" fill="#fff" font-size="14" text-anchor="middle">picture not stored</text>'
        ).format(x=_n(width / 2), y=_n(height / 2))
    if of:
        return Markup('<use href="#{of}-picture"/>').format(of=of)
    return Markup(
        '<image id="{name}-picture" width="{width}" height="{height}" preserveAspectRatio="none" '
        'href="data:image/png;base64,{png}"/>'
    ).format(name=name, width=_n(width), height=_n(height), png=png)


def _kind(mark: Mark) -> str:
    return "view" if mark.shape == "view" else "final" if mark.final else "other"


def _mark(mark: Mark, kind: str, width: float, height: float) -> Markup:
    colour, thick, dashes = _LOOK[kind]
    (x0, y0), (x1, y1) = ((x * width, y * height) for x, y in mark.points)
    if mark.shape == "line":
        shape = Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" {{}}/>').format(_n(x0), _n(y0), _n(x1), _n(y1))
    else:
        left, top, across, down = min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)
        shape = Markup('<rect x="{}" y="{}" width="{}" height="{}" {{}}/>').format(
            _n(left), _n(top), _n(across), _n(down)
        )
    casing = Markup('fill="none" stroke="#000" stroke-opacity="0.75" stroke-width="{}"').format(
        thick + (0.6 if kind == "view" else 2)
    )
    own = Markup('fill="none" stroke="{}" stroke-width="{}"').format(colour, thick)
    if dashes:
        own += Markup(' stroke-dasharray="{}"').format(dashes)
    parts = [shape.format(casing), shape.format(own)]
    if mark.shape == "line" and kind in {"truth", "final"}:
        parts += [_end(x, y, kind, colour) for x, y in ((x0, y0), (x1, y1))]
    return Markup("<g><title>{}</title>{}</g>").format(mark.words, Markup("").join(parts))


def _end(x: float, y: float, kind: str, colour: str) -> Markup:
    look = Markup('fill="{}" stroke="#000" stroke-width="1"').format(colour)
    if kind == "truth":
        return Markup('<circle cx="{}" cy="{}" r="3.5" {}/>').format(_n(x), _n(y), look)
    return Markup('<rect x="{}" y="{}" width="6" height="6" {}/>').format(_n(x - 3), _n(y - 3), look)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
