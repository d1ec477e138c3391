"""Operators and scopes of the ``python`` tool's evaluator. Runs in the child only."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from medvision_agent.tools.sandbox.grammar import ONLY
from medvision_agent.tools.sandbox.names import BITS, ITEMS, MODULES, Refused, power

__all__ = ["COMPARE", "SIZED", "UNARY", "Scope", "binary"]

SIZED = (list, tuple, dict, range, str)
"""Kinds of values that have a length."""
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: power,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Scope(dict[str, Any]):
    """Names of one function or comprehension; what is not here is looked up in the one around it."""

    def __init__(self, around: "Scope | None" = None) -> None:
        super().__init__()
        self.around = around

    def find(self, name: str) -> Any:
        """Return the value of *name*; raises Refused."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.around
        home = next((module for module, names in MODULES.items() if name in names), None)
        hint = f"; write {home}.{name}" if home else f": {ONLY}, and names that were assigned before"
        raise Refused(f"the name {name[:40]!r} is not known here{hint}")


def binary(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """Return the result of an operator; what would be too large is refused before it is computed."""
    if isinstance(left, str) and kind is ast.Mod:
        raise Refused("'%' on texts is not allowed; use an f-string")
    for many, times in ((left, right), (right, left)):
        if kind is ast.Mult and isinstance(many, SIZED) and isinstance(times, int) and len(many) * times > ITEMS:
            raise Refused("the list or text is too long")
    if kind is ast.LShift and isinstance(right, int) and right > BITS:
        raise Refused("the whole number is too large; use floats, or math.log")
    return _BINARY[kind](left, right)
