"""Tables for a terminal: what does not fit is broken, never lost, and text is not markup."""

from medvision_agent.cli.printed.table import WIDTH, new_table, number, plain, show

COLUMNS, NAMES = ("n", "success_rate", "loss"), ("model", "arm", "task")


def printed(capsys, *rows):
    table = new_table(COLUMNS, NAMES)
    for row in rows:
        table.add_row(*map(plain, row))
    show(table)
    return capsys.readouterr().out


def test_long_names_are_broken_and_figures_stay_whole(capsys):
    model, arm = "q" * 90, "without-crop" * 9
    out = printed(capsys, (model, arm, "distance", "1200", "0.998", "0.123"))
    assert {len(line) for line in out.splitlines()} <= set(range(WIDTH + 1))
    assert out.count("q") == 90
    assert out.splitlines()[2].split()[2:] == ["distance", "1200", "0.998", "0.123"]


def test_text_is_neither_markup_nor_terminal_control(capsys):
    out = printed(capsys, ("[bold]m", "a\x1b[2J", "angle", "1", "-", "-"))
    assert "[bold]m" in out
    assert "\x1b" not in out


def test_what_rounds_to_zero_is_not_negative():
    assert number(-1e-17, sign=True) == number(-0.00004, sign=True) == "+0.0000"
    assert number(-0.00006, sign=True) == "-0.0001"
    assert number(-0.0) == "0.0000"
