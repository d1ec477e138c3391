r"""Text for LaTeX: escaped, so that it is shown as it is, and the width that it takes.

Contract: no text is a command to LaTeX, and every text compiles with pdfLaTeX, XeLaTeX and LuaLaTeX. Characters that
the T1 encoding lacks (such as Chinese) are shown by pdfLaTeX as their code point, by the others as they are:
``\unicodecharacter``, which `DEFINITION` defines.
"""

# ruff: noqa: RUF001 - the table of characters is about characters that look alike
import re
import unicodedata
from itertools import pairwise

from medvision_agent.text import printable

__all__ = ["DEFINITION", "tex", "width_of"]

DEFINITION = (
    r"\providecommand{\unicodecharacter}[2]{\ifdefined\pdftexversion{\tiny[U+#1]}\else #2\fi}"
    "% a character that pdfLaTeX lacks"
)
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "*": "{*}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\ldots{}",
    "°": r"\textdegree{}",
    "µ": r"\textmu{}",
    "§": r"\S{}",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "√": r"$\surd$",
    "¹": r"$^1$",
    "²": r"$^2$",
    "³": r"$^3$",
}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi"
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
_COMMANDS |= {letter: rf"$\{name}$" for letter, name in zip("αβγδεζηθικλμνξπρστυφχψ", _GREEK.split(), strict=True)}
_COMMANDS["ω"] = r"$\omega$"
_COMMANDS |= {letter: rf"$\{name}$" for letter, name in zip("ΓΔΘΛΞΠΣΥΦΨΩ", _CAPITALS.split(), strict=True)}
_T1 = {*map(chr, range(0xC0, 0x180)), *"ȘșȚțẞ"} - {*"×÷ĦħĸĿŀŉŦŧſ"}
"""Letters that the T1 encoding has, by LaTeX's ``t1enc.dfu``; they stay as they are."""
_LIGATURES = ("--", ",,")
"""Pairs that the fonts of the T1 encoding join into another character."""
_EM = (
    (0.30, "!',.:;[]`il"),
    (0.36, "fj- "),
    (0.42, "I()tsr"),
    (0.48, "cez"),
    (0.54, '"$*/0123456789\\^ago{}~?J–_µ°|'),
    (0.60, "kqvxySbdhnpu"),
    (0.70, "ZLF"),
    (0.80, "EPBCTwRAHNUVXY"),
    (0.89, "DK&+<=>@OQG#%m−≤≥≠≈×÷±·"),
    (1.10, "MW→←↔…—"),
)
"""Widths of the characters of Computer Modern at 8 points, in em, rounded up."""
_WIDTHS = {letter: width for width, letters in _EM for letter in letters}
_CODE_POINT = 2.9
"""Width of a code point in place of a character, in em."""


def tex(text: str, *, breaks: bool = False) -> str:
    """Return text as LaTeX; with *breaks*, a line may end after each character."""
    shown = unicodedata.normalize("NFC", printable(text)).replace("->", "→")
    pieces = [_command(letter) for letter in shown]
    for at in [found.start() for found in re.finditer(r"(?<=[^\W\d_])'(?=[^\W\d_])", shown)]:
        pieces[at] = "'"
    for at, (one, other) in enumerate(pairwise(shown)):
        pieces[at] += "{}" if one + other in _LIGATURES else ""
    return (r"\allowbreak{}" if breaks else "").join(pieces)


def width_of(text: str, size: float) -> float:
    """Return the most points that a line of text takes in fonts such as Computer Modern at *size* points."""
    shown = unicodedata.normalize("NFC", printable(text)).replace("->", "→")
    return size * sum(map(_width, shown))


def _command(letter: str) -> str:
    if letter in _COMMANDS:
        return _COMMANDS[letter]
    if letter.isascii() or letter in _T1:
        return letter
    return rf"\unicodecharacter{{{ord(letter):04X}}}{{{letter}}}"


def _width(letter: str) -> float:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    return 0.8 if letter in _T1 or letter in _COMMANDS else _CODE_POINT
