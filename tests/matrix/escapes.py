"""Code that tries to get out of the tool ``python``: the known ways, and ways made of their parts at random.

Each must be refused in words, within the sandbox's own time, and leave nothing behind: no file, no process.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from escapes import ESCAPES
from fake.processes import children

from matrix.row import Row, seeded
from medvision_agent.tools.python import python
from medvision_agent.tools.sandbox.process import CodeLimits
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

VIEWS = ViewSet(grey_slice(np.eye(4), Spacing(1, 1)), Native())
STARTS = "() '' [] {} 1 1.5 math math.sqrt statistics statistics.mean abs print range(3) len (lambda:0) [len][0] True"
NAMES = (
    "__class__ __subclasses__ __globals__ __mro__ __bases__ __init__ __builtins__ __dict__ __self__ __loader__ "
    "__code__ __reduce_ex__ __getattribute__ __import__ __call__ __func__ gi_frame f_back tb_frame cr_frame mro"
)
WAYS = (
    "{start}.{name}",
    "{start}.{name}.{more}",
    "{start}.{name}()[0].{more}",
    "getattr({start}, '{name}')",
    "'{{0.{name}}}'.format({start})",
    "f'{{{start}.{name}}}'",
    "match {start}:\n    case object({name}=x):\n        x",
    "(lambda x={start}: x.{name})()",
    "[x.{name} for x in [{start}]]",
    "sorted([{start}], key=lambda x: x.{name})",
    "max([{start}, {start}], key=lambda x: x.{name}.{more})",
    "x = {start}\nx.{name} = 1",
    "def f(x):\n    return x.{name}\nf({start})",
    "for x in [{start}]:\n    x.{name}",
    "{start}.{wide}",
    "from math import {name}",
    "import {name}",
    "{name}('os').system('touch {canary}')",
    "[c for c in {start}.{name}.__subclasses__() if c.{more}][0]()('touch {canary}')",
    "open('{canary}', 'w')",
    "exec(\"open('{canary}', 'w')\")",
)
TELLING = ("Traceback", "0x", "root:", "<class", "<module", "uid=")
SLACK = 20
"""Seconds that a busy machine may add to the sandbox's own bound."""


def matrix(seed: int, made: int, known: int | None = None) -> list[Row]:
    """Try *known* of the known ways out (all of them without it), and *made* ways made at random."""
    rng = seeded(seed, "escapes")
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary"
        python.call(VIEWS, {"code": "1"})  # starts what forks the children: it stays
        ways = list(ESCAPES.values())
        rows = {
            "known ways out of `python`": ways if known is None else rng.sample(ways, known),
            "ways out of `python`, made at random": [_made(rng, canary) for _ in range(made)],
        }
        return [_row(what, codes, canary) for what, codes in rows.items()]


def _made(rng, canary: Path) -> str:
    name, more = rng.choice(NAMES.split()), rng.choice(NAMES.split())
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in name)
    return rng.choice(WAYS).format(start=rng.choice(STARTS.split()), name=name, more=more, wide=wide, canary=canary)


def _row(what: str, codes: list[str], canary: Path) -> Row:
    row = Row("escapes", what, "attempts")
    for code in codes:
        with row.trial(code[:80]):
            _try(row, code, canary)
    return row.done()


def _try(row: Row, code: str, canary: Path) -> None:
    before, started = children(), time.monotonic()
    reply = python.call(VIEWS, {"code": code})
    shown = f"{code[:80]!r}: {reply.text[:80]!r}"
    if reply.ok or not reply.text.isprintable() or any(trace in reply.text for trace in TELLING):
        row.fault("mistyped", shown)
    if canary.exists() or children() != before:
        row.fault("mistyped", f"it left something behind: {shown}")
    if time.monotonic() - started > CodeLimits().seconds + SLACK:
        row.fault("over", shown)
