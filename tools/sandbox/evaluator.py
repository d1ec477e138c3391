"""The child process of the ``python`` tool: confines itself, evaluates one code, writes one JSON object, ends.

``server.py`` forks it; the package itself never imports it. The order matters: everything needed is imported, then
the process is confined for good, and only then is the model's text read.

The checked tree is walked; exec and eval are never called. Values are numbers, texts, None, lists, tuples, dicts,
ranges and functions of our own tables; no attribute of a value is ever looked up. Every node and every item made
costs a step, so that the same code always ends at the same place, whatever the machine.
"""

import ast
import json
import math
import os
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from medvision_agent.tools.sandbox.language import (
    BUILTINS,
    CHARACTERS,
    KEYWORDS,
    METHODS,
    MODULES,
    ONLY,
    OPERATORS,
    SIZED,
    SOURCE,
    SPEC,
    Function,
    Refused,
    Scope,
    binary,
    bounded,
    clean,
    parse,
    show,
)

__all__ = ["Evaluator", "confine", "main"]

BREACH = 70
"""Exit code where something reached for the system: no code a model writes should come that far."""
_EXACT = 2**53
_KEEP, _CALLS = 4000, 40


def confine(cpu_s: int, memory_mb: int) -> None:
    """Give up files, new processes, audited operations, CPU time above *cpu_s* and memory above *memory_mb* MiB."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 3,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory_mb * 2**20,
    }
    for limit, most in limits.items():
        try:
            # One second between the two, for the signal that says what was used up.
            resource.setrlimit(limit, (most, most + (limit == resource.RLIMIT_CPU)))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS and does not keep it; steps bound the memory there
            continue
    warnings.simplefilter("ignore")
    sys.modules.pop("unicodedata", None)  # so that the parser has to import it (_guard)
    sys.addaudithook(_guard)


def _guard(event: str, args: tuple[Any, ...]) -> None:
    # Whatever opens, imports, executes or starts anything is audited. The parser may go on ("compile") and look in vain
    # for a file to show a wrong line of. It imports unicodedata to make ASCII letters of others in names: it may not.
    if (event, args[:1]) == ("import", ("unicodedata",)):
        raise Refused
    if event != "compile" and (event, args[:1]) != ("open", (SOURCE,)):
        os._exit(BREACH)


def main(cpu_s: int, memory_mb: int, steps: int) -> None:
    """Read code (JSON) from standard input, write JSON with ``value`` and ``printed``, or ``error``; then exit."""
    confine(cpu_s, memory_mb)
    reply = json.dumps(_answer(json.loads(sys.stdin.buffer.read()), steps))
    sys.stdout.buffer.write(reply.encode())
    sys.stdout.buffer.flush()
    os._exit(0)


def _answer(code: str, steps: int) -> dict[str, Any]:
    evaluator: Evaluator | None = None
    try:
        tree = parse(code)
        evaluator = Evaluator(steps)
        value = _value(evaluator.run(tree))
        return {"value": value, "printed": clean("".join(evaluator.printed))[:_KEEP]}
    except Refused as error:
        text = str(error)
    except RecursionError:
        text = "nested too deep"
    except MemoryError:
        text = "more memory is needed than there is"
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        text = f"{type(error).__name__}: {error}"
    where = f"line {evaluator.line}: " if evaluator else ""
    return {"error": " ".join(clean(where + text[:_KEEP]).split())[:300]}


def _value(value: Any) -> Any:
    """Return a finite number that JSON keeps exactly, or None, unchanged; every other value as text."""
    if value is None or (type(value) is float and math.isfinite(value)) or (type(value) is int and abs(value) < _EXACT):
        return value
    return clean(show(value))[:_KEEP]


class _Break(Exception):  # noqa: N818
    pass


class _Continue(Exception):  # noqa: N818
    pass


class _Return(Exception):  # noqa: N818
    def __init__(self, value: Any) -> None:
        self.value = value


class Evaluator:
    """An interpreter for at most *steps* steps; ``printed`` has the texts printed so far, ``line`` the current line."""

    def __init__(self, steps: int) -> None:
        self._steps = self._left = steps
        self._calls = 0
        self.printed: list[str] = []
        self.line = 1
        self._last: Any = None
        self._room = CHARACTERS
        top = Scope()
        top.update(BUILTINS, print=Function("print", self._print), str=Function("str", show))
        self._globals = Scope(top)

    def run(self, tree: ast.Module) -> Any:
        """Run all statements; return the value of the last one if it is an expression or an assignment, else None."""
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

    def _spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise Refused(f"it takes more than {self._steps} steps")

    def _checked(self, value: Any) -> Any:
        """Return *value*, a named tuple as a tuple, its length counted as steps; raises Refused if not allowed."""
        value = bounded(value)
        if isinstance(value, SIZED):
            self._spend(len(value))
        return value

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

    def _print(self, *values: Any, sep: Any = " ", end: Any = "\n") -> None:
        text = show(" " if sep is None else sep).join(map(show, values)) + show("\n" if end is None else end)
        self._spend(len(text))
        if self._room > 0:
            self._room -= len(text)
            self.printed.append(text)

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
                return self._checked(OPERATORS[type(node.op)](self._value(node.operand, scope)))
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
            if not OPERATORS[type(sign)](left, right):
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
            missing = len(names) - len(given)
            values = [*given, *defaults[len(defaults) - missing :]] if missing > 0 else given
            if len(values) != len(names):
                raise Refused(f"{name} takes {len(names)} values, not {len(given)}")
            inner = Scope(scope)
            inner.update(zip(names, values, strict=True))
            self._spend(10)
            self._calls += 1
            if self._calls > _CALLS:
                raise Refused("functions call each other too deep; use a loop")
            try:
                if isinstance(body, ast.expr):
                    return self._value(body, inner)
                self._block(body, inner)
            except _Return as done:
                return done.value
            finally:
                self._calls -= 1
            return None

        return Function(name, call)
