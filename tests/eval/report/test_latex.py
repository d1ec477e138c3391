"""LaTeX: text that stays text, tables that fit a page, and a document that compiles."""

# ruff: noqa: RUF001 - characters that look like others are what is tested
import re
import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.eval.report.latex import latex_text
from medvision_agent.eval.report.table import Column, Table
from medvision_agent.eval.report.tex import _COMMANDS, tex
from medvision_agent.text import printable

HOSTILE = "\\input{/etc/passwd} $x^2$ 50% a_b #1 & ~ [l] *x \"q\" 'r' `c` a--b ,, < > | \x1b"
UNICODE = "≤≥≠≈×÷±·−→µμαωΩ°²…– é ß Ł ş 中文 \N{GRINNING FACE} e\u0301 x\u0302"
_PIECE = re.compile(
    r"\\unicodecharacter\{[0-9A-F]+\}\{(.)\}|\\allowbreak\{\}|(\\[A-Za-z]+\{\}|\$[^$]+\$|\{.\}|\\.)|\{\}|(.)", re.DOTALL
)


def wide(cell="a name", rows=40):
    columns = [Column("arm", text=True), Column("task", text=True), Column("n"), Column("subjects")]
    columns += [Column(f"quite a long name {number}", percent=True) for number in range(18)]
    columns += [Column("kept out", detail=True), Column("why", text=True)]
    values = ((f"{cell} {row}", "size", 12, 4, *[0.5] * 18, 1.0, "few subjects, " * 8) for row in range(rows))
    return Table("t_1", f"caption {cell}", tuple(columns), tuple(values), (f"A note. {cell}",) * 3)


def read(text):
    """Return the characters that escaped text shows, piece by piece."""
    shown = {command: letter for letter, command in _COMMANDS.items()}
    return "".join(one or (shown[command] if command else other) or "" for one, command, other in _PIECE.findall(text))


@given(st.text(st.sampled_from(HOSTILE + UNICODE) | st.characters(codec="utf-8")), st.booleans())
def test_escaped_text_shows_the_same_characters_and_no_bare_special_one(text, breaks):
    expected = unicodedata.normalize("NFC", printable(text)).replace("->", "→")
    found = tex(text, breaks=breaks)
    assert read(found) == expected
    bare = _PIECE.sub(lambda piece: piece[3] or "", found)
    assert not set(bare) & set('\\&%$#_{}~^<>|"`[*')
    assert "--" not in found
    assert ",," not in found


def test_latex_stays_text():
    text = latex_text(Table("t", "caption", (Column("name", text=True),), ((HOSTILE,),)))
    assert r"\textbackslash{}input\{/etc/passwd\}" in text.replace(r"\allowbreak{}", "")
    assert "\x1b" not in text
    assert tex("a model's 'x'") == r"a model's \textquotesingle{}x\textquotesingle{}"
    assert tex("[9cm]").startswith("{[}"), "it could be an argument of the line break before it"
    assert tex("*").startswith("{*}")


def test_every_block_and_float_keeps_the_names_the_samples_and_the_subjects():
    text = latex_text(wide())
    heads = [line for line in text.splitlines() if line.startswith("arm &")]
    assert len(heads) > 2
    assert all("& n & subjects &" in line for line in heads)
    floats = text.count(r"\begin{table*}")
    assert floats > 1
    assert f"(part {floats} of {floats})" in text
    assert text.count(r"50.000\%") == 40 * 18, "no cell is lost"
    assert "Only in t\\_1.csv: kept out." in text
    narrow = latex_text(Table("t", "caption", (Column("name", text=True), Column("v")), (("a", 0.5),)))
    assert r"\begin{table}" in narrow
    assert "part" not in narrow


@pytest.mark.parametrize("style", ["", "twocolumn"])
def test_it_compiles_and_fits_the_page(style, tmp_path):
    latex = shutil.which("pdflatex")
    if latex is None:
        pytest.skip("no pdflatex on PATH")
    groups = tuple(Column(f"v{number}", unit="%", group=f"group {number // 7}") for number in range(14))
    grouped = Table("g", "grouped", (Column("model", text=True), *groups), (("a", *[7738.94] * 14),))
    long_name = "name_without_a_blank" * 4
    tables = [wide(), wide(HOSTILE, 3), wide(UNICODE, 3), wide(long_name, 3), grouped, wide(rows=0)]
    body = "\n".join(f"{latex_text(table)}\\clearpage" for table in tables)
    packages = r"\usepackage[T1]{fontenc}\usepackage{array,booktabs}"
    document = rf"\documentclass[{style}]{{article}}{packages}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "paper.tex").write_text(document, encoding="utf-8")
    command = [latex, "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, [line for line in log.splitlines() if line.startswith(("!", "l."))]
    assert not re.findall(r"Overfull .*|Float too large.*|.*undefined\.", log)
