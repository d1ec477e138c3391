"""The python tool: right arithmetic, and every known way out of its language tried on it."""

import ast
import contextlib
import json
import math
import time

import numpy as np
import pytest
from escapes import ESCAPES
from fake.processes import children
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.tools.python import CODE, python
from medvision_agent.tools.sandbox.evaluator import Evaluator
from medvision_agent.tools.sandbox.language import Refused, show
from medvision_agent.tools.sandbox.process import CodeLimits
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

VIEWS = ViewSet(grey_slice(np.eye(4), Spacing(1, 1)), Native())


def call(code):
    return python.call(VIEWS, {"code": code})


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 2 * 3", 7),
        ("import math\nmath.hypot(3 * 0.5, 4 * 0.5)", 2.5),
        ("math.degrees(math.acos(abs(3 * 4 + 0 * 1) / (3 * 4)))", 0.0),
        ("from math import sqrt, pi as p\nsqrt(16) + round(p, 2)", 7.140000000000001),
        ("import statistics\nstatistics.mean([1, 2, 6])", 3),
        ("statistics.stdev([2.0, 4.0])", math.sqrt(2)),
        ("statistics.linear_regression([1, 2], [3, 5])", "(2.0, 1.0)"),
        ("w = 512 * 0.25\nh = 400 * 0.5\nd = math.sqrt(w ** 2 + h ** 2)\nround(d, 4)", 237.4532),
        ("x: float = 3\nx += 0.5", 3.5),
        ("xs = [3, 1, 2]\nxs.append(7)\nsorted(xs, key=lambda x: -x)[1:]", "[3, 2, 1]"),
        ("def d(a, b=(0, 0)):\n    '''Distance.'''\n    return math.dist(a, b)\nd((3, 4))", 5.0),
        ("t = 0\nfor i, x in enumerate([1, 2, 3]):\n    if i == 1:\n        continue\n    t += x\nt", 4),
        ("n = 0\nwhile n < 10:\n    n += 3\nelse:\n    n = -n\nn", -12),
        ("{k: v * 2 for k, v in {'a': 1}.items() if v}", "{'a': 2}"),
        ("sum(x * y for x in range(3) for y in (1, 2) if x)", 9),
        ("max([1, 5, 3]), min(2, 1), 7 // 2, -7 % 3, 1 < 2 <= 2, 2 in [1], not 0", "(5, 1, 3, 2, True, False, True)"),
        ("f'{1 / 3:.3f} mm, {2:>4d}, {[1]}'", "0.333 mm,    2, [1]"),
        ("a, (b, c) = 1, [2, 3]\nd = [0]\nd[0] = a + b + c\n*d, 9", "(6, 9)"),
        ("float('nan')", "nan"),
        ("-math.inf", "-inf"),
        ("2 ** 60", str(2**60)),
        ("True", "True"),
        ("sum = 4  # a name of its own\nsum", 4),
        ("# µ, é and 度\n'µ'", "µ"),
        ("x = {'größe': 3}\nf'{x[\"größe\"]:.1f} µm'", "3.0 µm"),
    ],
)
def test_arithmetic(code, value):
    reply = call(code)
    assert reply.ok, reply.text
    assert reply.result == {"value": value, "printed": ""}
    assert type(reply.result["value"]) is type(value)


def test_what_is_printed_comes_back_beside_the_value():
    assert call("print('d', 1.5, sep='=')\nprint()\n2").result == {"value": 2, "printed": "d=1.5\n\n"}
    assert call("for i in range(3):\n    print(i, end=' ')").result == {"value": None, "printed": "0 1 2 "}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 / 0", "line 1: ZeroDivisionError: division by zero"),
        ("x = 2\n[1][x]", "line 2: IndexError: list index out of range"),
        ("sqrt(2)", "the name 'sqrt' is not known here; write math.sqrt"),
        ("import numpy as np", "importing 'numpy' is not allowed: only math and statistics can be imported"),
        ("import math as m", "a module keeps its name: write 'import math'"),
        ("math.sin(", "no valid Python: '(' was never closed (line 1)"),
        ("", "there is no value and nothing was printed: write the value wanted on the last line"),
        ("(-8) ** 0.5", "the result is of type complex"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "functions call each other too deep; use a loop"),
        ("1" * (CODE + 1), f"the code has {CODE + 1} characters; at most {CODE} are taken"),
        ("def f(a):\n    return a\nf(1, 2)", "f takes 1 values, not 2"),
        ("return 5", "return into a function"),
        ("[2, 1].sort()", "'.sort' is not allowed: only math.NAME, statistics.NAME and the methods list.append, dict"),
    ],
)
def test_a_model_is_told_what_was_wrong(code, text):
    reply = call(code)
    assert not reply.ok
    assert text in reply.text
    assert reply.text.isprintable()


NAMES = "names must use ASCII letters (a to z), digits and _"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("größe = 3\ngröße * 2", "größe"),
        ("# größer als 'Ä'\nx = 'ö'\nπ = 3.14", "π"),
        ("def f(µ):\n    return 1\nf(1)", "µ"),
        ("\uff45xec('1')", "\uff45xec"),  # to the parser the same as exec
        ("math.\uff53qrt(4)", "\uff53qrt"),
        ("from math import \uff53qrt", "\uff53qrt"),
        ("print(1, \uff45nd='')", "\uff45nd"),
        ("\U0001d429\U0001d422 = 3\npi", "\U0001d429\U0001d422"),
        ("\u017fum([1])", "\u017fum"),
        ("größe = ", "größe"),
        ("f'{größe:.2f}'", ""),
    ],
)
def test_names_are_ascii_and_a_model_is_told_so(code, name):
    """Python's parser takes letters that look alike for the same; no such name becomes one that is known."""
    reply = call(code)
    assert not reply.ok
    assert reply.text == f"Error: {NAMES}" + (f"; {name!r} does not" if name else "")


HARMLESS = {
    "annotation": ("x: open('/etc/passwd') = 1\nx", 1),
    "annotation of a function": ("def f(x: exit()) -> open('x'):\n    return x\nf(2)", 2),
    "forged reply": ('print(\'{"value": 1, "printed": ""}\')\n2', 2),
    "forged reply as the value": ('\'{"error": "x"}\'', '{"error": "x"}'),
    "encoding cookie": ("# -*- coding: utf_7 -*-\n'+AGEAYg-'", "+AGEAYg-"),
    "encoding cookie of a codec that runs": ("# coding: rot13\n1 + 1", 2),
    "form feed and comment": ("\f# comment\n3", 3),
    "half a character by its escape": (r"'\ud800'", r"\ud800"),
    "NUL by its escape": (r"'\x00\x1b[2J'", r"\x00\x1b[2J"),
    "builtin shadowed": ("def print():\n    return 5\nprint()", 5),
    "function shown": ("math.sqrt", "<function math.sqrt>"),
    "own function shown": ("def f():\n    pass\nf", "<function f>"),
    "invalid escape": ("'\\d'", "\\d"),
}


@pytest.mark.parametrize("code", ESCAPES.values(), ids=ESCAPES)
def test_a_way_out_is_refused(code):
    call("1")  # the tool's own small server runs from the first call on
    before, started = children(), time.perf_counter()
    reply = python.call(VIEWS, {"code": code})
    assert not reply.ok, reply.text
    assert reply.text.isprintable()
    assert len(reply.text) < 400
    for trace in ("Traceback", "0x", "root:", "<class", "<module", "uid="):
        assert trace not in reply.text
    assert time.perf_counter() - started < CodeLimits().seconds
    assert children() == before


@pytest.mark.parametrize(("code", "value"), HARMLESS.values(), ids=HARMLESS)
def test_what_looks_like_a_way_out_is_harmless(code, value):
    reply = call(code)
    assert reply.ok, reply.text
    assert reply.result["value"] == value


def parsed():
    """The escapes that Python's own parser reads."""
    for what, code in ESCAPES.items():
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            yield pytest.param(ast.parse(code), id=what)


@pytest.mark.parametrize("tree", list(parsed()))
def test_the_evaluator_holds_without_the_grammar(tree):
    """No second chance: what the list of allowed nodes would let through ends here, or is a plain value."""
    try:
        value = Evaluator(20_000).run(tree)
    except (Refused, ArithmeticError, LookupError, RecursionError, TypeError, ValueError, AttributeError):
        return
    assert not any(trace in show(value) for trace in ("0x", "<class", "<module"))


def test_the_output_is_bounded():
    reply = call("for i in range(900):\n    print('\u00b5' * 90)\n'\u5ea6' * 9000")
    assert reply.ok
    assert len(reply.text) < 2000
    assert all(reply.result[key].endswith("... (cut)") for key in ("value", "printed"))


def test_the_same_code_ends_at_the_same_step():
    code = "n = 0\nwhile True:\n    n += 1\n    print(n)"
    assert {call(code).text for _ in range(2)} == {"Error: line 4: it takes more than 1000000 steps"}


PIECES = [
    *("x", "math", ".", "sqrt", "(", ")", "[", "]", "{", "}", ",", ":", "=", "==", "**", "-", "*", "%", "<<", "\n"),
    *("for ", " in ", "if ", "else ", "lambda ", "def f():", "return ", " ", "1", "2.5", "'a'", "f'{", "}'", "range"),
    *("print", "list", "map", "sorted", "__class__", "\n    ", "statistics", "mean", "None", "import ", "9" * 30),
]
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join))


@settings(max_examples=80, deadline=None)
@given(texts)
def test_any_text_gets_a_reply(code):
    reply = call(code)
    assert reply.text.isprintable()
    assert len(reply.text) < 2000
    if reply.ok:
        assert json.loads(reply.text) == reply.result
        value = reply.result["value"]
        assert value is None or isinstance(value, str) or math.isfinite(value)
    else:
        assert reply.text.startswith("Error: ")
