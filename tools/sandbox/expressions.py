"""Expressions of checked Python trees, for the ``python`` tool: the tree is walked, exec and eval are never called.

Runs in the child only. Values are numbers, texts, None, lists, tuples, dicts, ranges and functions of our own tables;
no attribute of a value is ever looked up. Every node and every item made costs a step, so that the same code
always ends at the same place, whatever the machine.
"""

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from medvision_agent.tools.sandbox.grammar import ONLY
from medvision_agent.tools.sandbox.names import BITS, ITEMS, KEYWORDS, METHODS, MODULES, SPEC, Function, Refused
from medvision_agent.tools.sandbox.operators import COMPARE, SIZED, UNARY, Scope, binary
from medvision_agent.tools.sandbox.show import CHARACTERS, show

__all__ = ["Expressions"]

_CALLS = 40
_KINDS = frozenset((int, float, bool, str, type(None), list, tuple, dict, range, Function))


class Expressions(ABC):
    """Evaluates expressions for at most so many steps."""

    def __init__(self, steps: int) -> None:
        self._steps = self._left = steps
        self._calls = 0

    @abstractmethod
    def _body(self, body: list[ast.stmt], scope: Scope) -> Any:
        """Run the body of a function and return what it returns."""

    @abstractmethod
    def _assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Bind a name, several names, or an item."""

    def _spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise Refused(f"it takes more than {self._steps} steps")

    def _checked(self, value: Any) -> Any:
        """Return *value* if it is of a kind and a size that may go on; what it holds is paid for."""
        if type(value) not in _KINDS:
            if isinstance(value, tuple):
                return self._checked(tuple(value))
            raise Refused(f"the result is of type {type(value).__name__[:40]}, which is not there: {ONLY}")
        if isinstance(value, int) and value.bit_length() > BITS:
            raise Refused("the whole number is too large; use floats, or math.log")
        if isinstance(value, SIZED):
            if len(value) > (CHARACTERS if isinstance(value, str) else ITEMS):
                raise Refused("the list or text is too long")
            self._spend(len(value))
        return value

    def _value(self, node: ast.expr, scope: Scope) -> Any:  # noqa: C901, PLR0911, PLR0912 (one case per expression)
        self._spend()
        match node:
            case ast.Constant():
                return self._checked(node.value)
            case ast.Name():
                return scope.find(node.id)
            case ast.BinOp():
                return self._checked(
                    binary(type(node.op), self._value(node.left, scope), self._value(node.right, scope))
                )
            case ast.UnaryOp():
                return self._checked(UNARY[type(node.op)](self._value(node.operand, scope)))
            case ast.BoolOp():
                return self._logic(node, scope)
            case ast.Compare():
                return self._compare(node, scope)
            case ast.IfExp():
                return self._value(node.body if self._value(node.test, scope) else node.orelse, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.Attribute(value=ast.Name(id=module)) if module in MODULES:
                return MODULES[module][node.attr]
            case ast.Subscript():
                return self._checked(self._value(node.value, scope)[self._index(node.slice, scope)])
            case ast.List():
                return self._items(node.elts, scope)
            case ast.Tuple():
                return tuple(self._items(node.elts, scope))
            case ast.Dict():
                if None in node.keys:
                    raise Refused("'**' is not allowed")
                pairs = zip(node.keys, node.values, strict=True)
                return {self._value(key, scope): self._value(value, scope) for key, value in pairs if key}
            case ast.ListComp() | ast.GeneratorExp():
                return self._checked([self._value(node.elt, inner) for inner in self._each(node.generators, scope)])
            case ast.DictComp():
                inners = self._each(node.generators, scope)
                return self._checked({self._value(node.key, i): self._value(node.value, i) for i in inners})
            case ast.Lambda():
                return self._function("lambda", node.args, node.body, scope)
            case ast.JoinedStr():
                return self._checked("".join(self._text(part, scope) for part in node.values))
            case _:
                raise Refused(f"{type(node).__name__} is not allowed here: {ONLY}")

    def _index(self, node: ast.expr, scope: Scope) -> Any:
        if not isinstance(node, ast.Slice):
            return self._value(node, scope)
        return slice(*(part and self._value(part, scope) for part in (node.lower, node.upper, node.step)))

    def _items(self, nodes: list[ast.expr], scope: Scope) -> list[Any]:
        values: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                values += self._checked(list(self._value(node.value, scope)))
            else:
                values.append(self._value(node, scope))
        return values

    def _text(self, node: ast.expr, scope: Scope) -> str:
        if not isinstance(node, ast.FormattedValue):
            return show(self._value(node, scope))
        value = self._value(node.value, scope)
        spec = self._text(node.format_spec, scope) if node.format_spec else ""
        if not SPEC.fullmatch(spec):
            raise Refused("in an f-string only formats of numbers such as {x:.2f} are allowed")
        return format(value, spec) if spec and isinstance(value, int | float) else show(value)

    def _logic(self, node: ast.BoolOp, scope: Scope) -> Any:
        value: Any = None
        for part in node.values:
            value = self._value(part, scope)
            if bool(value) is isinstance(node.op, ast.Or):
                break
        return value

    def _compare(self, node: ast.Compare, scope: Scope) -> bool:
        left = self._value(node.left, scope)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self._value(part, scope)
            if not COMPARE[type(sign)](left, right):
                return False
            left = right
        return True

    def _each(self, generators: list[ast.comprehension], scope: Scope) -> Iterator[Scope]:
        first, *rest = generators
        inner = Scope(scope)
        for item in self._value(first.iter, scope):
            self._spend()
            self._assign(first.target, item, inner)
            if all(self._value(test, inner) for test in first.ifs):
                yield from self._each(rest, inner) if rest else (inner,)

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        function = self._callee(node.func, scope)
        args = self._items(node.args, scope)
        keywords = {word.arg: self._value(word.value, scope) for word in node.keywords if word.arg is not None}
        if len(keywords) != len(node.keywords):
            raise Refused("'**' is not allowed")
        if type(function) is not Function:
            raise Refused(f"a value of type {type(function).__name__} cannot be called")
        if not KEYWORDS.issuperset(keywords):
            raise Refused("an argument of that name is not there; pass arguments by their place")
        for value in args:
            self._checked(value)
        return self._checked(function(*args, **keywords))

    def _callee(self, node: ast.expr, scope: Scope) -> Any:
        if not isinstance(node, ast.Attribute) or (isinstance(node.value, ast.Name) and node.value.id in MODULES):
            return self._value(node, scope)
        kind, method = METHODS[node.attr]
        value = self._value(node.value, scope)
        if type(value) is not kind:
            raise Refused(f"'.{node.attr}' is not there for a value of type {type(value).__name__}")
        return Function(node.attr, lambda *args: method(value, *args))

    def _function(self, name: str, args: ast.arguments, body: list[ast.stmt] | ast.expr, scope: Scope) -> Function:
        names = [arg.arg for arg in args.args]
        defaults = [self._value(node, scope) for node in args.defaults]

        def call(*given: Any) -> Any:
            values = (
                [*given, *defaults[len(defaults) - len(names) + len(given) :]] if len(given) < len(names) else given
            )
            if len(values) != len(names):
                raise Refused(f"{name} takes {len(names)} values, not {len(given)}")
            inner = Scope(scope)
            inner.update(zip(names, values, strict=True))
            self._spend(10)
            self._calls += 1
            if self._calls > _CALLS:
                raise Refused("functions call each other too deep; use a loop")
            try:
                return self._value(body, inner) if isinstance(body, ast.expr) else self._body(body, inner)
            finally:
                self._calls -= 1

        return Function(name, call)
