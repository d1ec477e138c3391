"""Statements of checked Python trees, for the ``python`` tool. Runs in the child only."""

import ast
from collections.abc import Iterator
from typing import Any

from medvision_agent.tools.sandbox.expressions import Expressions
from medvision_agent.tools.sandbox.grammar import ONLY
from medvision_agent.tools.sandbox.names import BUILTINS, MODULES, Function, Refused
from medvision_agent.tools.sandbox.operators import Scope, binary
from medvision_agent.tools.sandbox.show import CHARACTERS, show

__all__ = ["Evaluator"]


class _Break(Exception):  # noqa: N818
    pass


class _Continue(Exception):  # noqa: N818
    pass


class _Return(Exception):  # noqa: N818
    def __init__(self, value: Any) -> None:
        self.value = value


class Evaluator(Expressions):
    """Runs one tree; ``printed`` holds what it printed, ``line`` the line it is at."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.printed: list[str] = []
        self.line = 1
        self._last: Any = None
        self._room = CHARACTERS
        top = Scope()
        top.update(BUILTINS, print=Function("print", self._print), str=Function("str", show))
        self._globals = Scope(top)

    def run(self, tree: ast.Module) -> Any:
        """Run all statements; return the value of the last one, if it is an expression or an assignment."""
        try:
            self._block(tree.body, self._globals)
        except (_Break, _Continue, _Return):
            raise Refused("break and continue belong into a loop, return into a function") from None
        match tree.body[-1] if tree.body else None:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                return self._globals.find(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                return self._globals.find(name)
            case ast.Expr():
                return self._last
            case _:
                return None

    def _block(self, body: list[ast.stmt], scope: Scope) -> None:
        for node in body:
            self.line = node.lineno
            self._spend()
            self._statement(node, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:  # noqa: C901, PLR0912 (one case per statement)
        match node:
            case ast.Expr():
                self._last = self._value(node.value, scope)
            case ast.Assign():
                value = self._value(node.value, scope)
                for target in node.targets:
                    self._assign(target, value, scope)
            case ast.AugAssign():
                old = self._value(node.target, scope)
                value = self._checked(binary(type(node.op), old, self._value(node.value, scope)))
                self._assign(node.target, value, scope)
            case ast.AnnAssign():
                if node.value is None:
                    raise Refused("a name without a value")
                self._assign(node.target, self._value(node.value, scope), scope)
            case ast.If():
                self._block(node.body if self._value(node.test, scope) else node.orelse, scope)
            case ast.For() | ast.While():
                self._loop(node, scope)
            case ast.FunctionDef():
                scope[node.name] = self._function(node.name, node.args, node.body, scope)
            case ast.Return():
                raise _Return(None if node.value is None else self._value(node.value, scope))
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    scope[alias.asname or alias.name] = MODULES[module][alias.name]
            case ast.Pass() | ast.Import():
                pass
            case _:
                raise Refused(f"{type(node).__name__} is not allowed: {ONLY}")

    def _loop(self, node: ast.For | ast.While, scope: Scope) -> None:
        for _ in self._rounds(node, scope):
            try:
                self._block(node.body, scope)
            except _Continue:
                continue
            except _Break:
                return
        self._block(node.orelse, scope)

    def _rounds(self, node: ast.For | ast.While, scope: Scope) -> Iterator[None]:
        if isinstance(node, ast.While):
            while self._value(node.test, scope):
                self._spend()
                yield
        else:
            for item in self._value(node.iter, scope):
                self._spend()
                self._assign(node.target, item, scope)
                yield

    def _assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        self._spend()
        match target:
            case ast.Name(id=name):
                scope[name] = value
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                values = list(value)
                if len(values) != len(parts):
                    raise Refused(f"{len(values)} values for {len(parts)} names")
                for part, item in zip(parts, values, strict=True):
                    self._assign(part, item, scope)
            case ast.Subscript() if not isinstance(target.slice, ast.Slice):
                self._value(target.value, scope)[self._value(target.slice, scope)] = value
            case _:
                raise Refused("only names and items can be assigned to")

    def _body(self, body: list[ast.stmt], scope: Scope) -> Any:
        try:
            self._block(body, scope)
        except _Return as done:
            return done.value
        return None

    def _print(self, *values: Any, sep: Any = " ", end: Any = "\n") -> None:
        text = show(" " if sep is None else sep).join(map(show, values)) + show("\n" if end is None else end)
        self._spend(len(text))
        if self._room > 0:
            self._room -= len(text)
            self.printed.append(text)
