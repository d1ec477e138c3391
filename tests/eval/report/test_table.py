"""Tables: precision, and texts that mean something to a spreadsheet or to Markdown."""

import csv
import io

import pytest

from medvision_agent.eval.report.table import Column, Table, csv_text, fixed, markdown_text, md

HOSTILE = "=cmd|'/c calc'!A1 <b>x</b> \\input{/etc/passwd} $x^2$ 50% a_b #1 & ~ [l](javascript:1) `c` \x1b[31m\u202e"


def table(*cells):
    columns = (Column("name", text=True), *(Column(f"v{number}", sign=True) for number in range(len(cells) - 1)))
    return Table("t", "caption", columns, (cells,))


def test_numbers_are_whole_in_csv_and_rounded_elsewhere():
    one = table("a", 0.123456789, -1e-9, None, 12345678.9)
    assert csv_text(one).splitlines()[1] == "a,0.123456789,-1e-09,,12345678.9"
    assert one.shown[0] == ["a", "+0.123", "0.000", "\N{EN DASH}", "+1.235e+07"]


def test_a_difference_that_rounds_to_zero_keeps_its_direction():
    assert [fixed(value, 3, sign=True) for value in (-0.0001, 0.0001, -0.5)] == [
        ">\N{MINUS SIGN}0.001",
        "<+0.001",
        "\N{MINUS SIGN}0.500",
    ]
    assert [fixed(value, 3, sign=True) for value in (0.0, -0.0, 1e-17, -1e-17)] == ["0.000"] * 4
    assert (fixed(-0.04, 0, sign=True), fixed(-0.0001, 3), fixed(0.0001, 3)) == (">\N{MINUS SIGN}1", "0.000", "0.000")


def test_nothing_is_a_formula_to_a_spreadsheet():
    for text in (HOSTILE, "+1", "-1", "@x"):
        (_, (cell,)) = csv.reader(io.StringIO(csv_text(table(text))))
        assert cell.startswith("'")
        assert "\x1b" not in cell


def test_markdown_stays_text():
    shown = md(HOSTILE)
    assert r"\<b\>x\</b\>" in shown
    assert r"\[l\]\(javascript:1\) \`c\`" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert md("- a") == r"\- a"
    assert md("1. a") == r"1\. a"
    assert "http://" not in md("http://x")
    assert markdown_text(table("a|b\nc")).splitlines()[-1] == r"| a\|b?c |"


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="every row must have"):
        Table("t", "caption", (Column("a"),), ((1, 2),))


def test_per_cent_have_their_sign_and_differences_are_points():
    columns = (
        Column("rate", 1, percent=True),
        Column("net", 1, sign=True, percent=True),
        Column("MRE", 1, unit="%", group="all"),
        Column("published", 1, unit="%"),
    )
    one = Table("t", "caption", columns, ((0.482, -0.05, 7738.94, "71.5"),))
    assert one.shown == [["48.2%", "\N{MINUS SIGN}5.0 points", "7738.9%", "71.5%"]]
    assert csv_text(one).splitlines() == ["rate,net,all MRE (%),published (%)", "0.482,-0.05,7738.94,71.5"]
