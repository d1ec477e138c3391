"""Which Python the ``python`` tool takes: a list of node types and names; everything else is refused unread.

Runs in the child only, before anything is evaluated. The evaluator refuses what it does not know a second time.
"""

import ast

from medvision_agent.tools.sandbox.names import METHODS, MODULES, SPEC, Refused

__all__ = ["ONLY", "SOURCE", "parse"]

ONLY = "only arithmetic, math and statistics"
"""What every refusal ends with."""
SOURCE = "<code>"
"""What the parser takes for the file's name; to show a wrong line it tries to open it."""
_DEPTH = 60
_NODES = 4000
_STATEMENTS = (
    *(ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.While, ast.Break),
    *(ast.Continue, ast.Pass, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Import, ast.ImportFrom),
    ast.alias,
)
_EXPRESSIONS = (
    *(ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword),
    *(ast.Attribute, ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp),
    *(ast.DictComp, ast.comprehension, ast.Lambda, ast.JoinedStr, ast.FormattedValue, ast.Starred),
)
_SIGNS = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift, ast.BitAnd),
    *(ast.BitOr, ast.BitXor, ast.UAdd, ast.USub, ast.Not, ast.Invert, ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt),
    *(ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.Load, ast.Store),
)
_ALLOWED = frozenset((*_STATEMENTS, *_EXPRESSIONS, *_SIGNS))
_WORDS = {"ClassDef": "class", "NamedExpr": "':='", "Set": "a set", "SetComp": "a set", "MatMult": "'@'", "Del": "del"}


def parse(code: str) -> ast.Module:
    """Return the tree of *code*, every node of which is allowed; raises Refused."""
    try:
        tree = ast.parse(code, SOURCE)
    except SyntaxError as error:
        raise Refused(f"no valid Python: {error.msg} (line {error.lineno or 1})") from None
    except (ValueError, RecursionError, MemoryError):
        raise Refused("no valid Python: it holds characters that cannot be read, or is nested too deep") from None
    count = 0
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > _DEPTH or count > _NODES:
            raise Refused("the code is too long or nested too deep; write shorter steps")
        _check(node)
        stack += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return tree


def _check(node: ast.AST) -> None:
    name = type(node).__name__
    if type(node) not in _ALLOWED:
        word = _WORDS.get(name, name.removesuffix("Star").removeprefix("Async").lower())
        raise Refused(f"{word} is not allowed: {ONLY}")
    _named(node)
    match node:
        case ast.Constant(value=value) if value is not None and type(value) not in {int, float, bool, str}:
            raise Refused(f"a value of type {type(value).__name__} is not allowed: {ONLY}")
        case ast.FunctionDef() if node.decorator_list:
            raise Refused(f"a decorator is not allowed: {ONLY}")
        case ast.arguments() if node.vararg or node.kwarg or node.kwonlyargs or node.posonlyargs:
            raise Refused("a function takes plain arguments only, without * and /")
        case ast.Name(ctx=ast.Store(), id=("math" | "statistics") as name):
            raise Refused(f"{name} cannot be assigned to")
        case ast.Attribute():
            _attribute(node)
        case ast.FormattedValue():
            _formatted(node)
        case ast.Import() | ast.ImportFrom():
            _imported(node)
        case _:
            pass


def _named(node: ast.AST) -> None:
    for field in ("id", "name", "attr", "arg", "asname"):
        value = getattr(node, field, None)
        if isinstance(value, str) and "__" in value:
            raise Refused(f"the name {value[:40]!r} is not allowed: {ONLY}")


def _attribute(node: ast.Attribute) -> None:
    if not isinstance(node.ctx, ast.Load):
        raise Refused("an attribute cannot be assigned to")
    if isinstance(node.value, ast.Name) and node.value.id in MODULES:
        if node.attr not in MODULES[node.value.id]:
            raise Refused(f"{node.value.id}.{node.attr[:40]} is not there: only the usual functions of it are")
    elif node.attr not in METHODS:
        raise Refused(f"'.{node.attr[:40]}' is not allowed: only math.NAME and statistics.NAME")


def _formatted(node: ast.FormattedValue) -> None:
    spec = node.format_spec
    parts = spec.values if isinstance(spec, ast.JoinedStr) else []
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if node.conversion != -1 or len(texts) != len(parts) or not SPEC.fullmatch("".join(texts)):
        raise Refused("in an f-string only formats of numbers such as {x:.2f} are allowed")


def _imported(node: ast.Import | ast.ImportFrom) -> None:
    names = [alias.name for alias in node.names]
    modules = names if isinstance(node, ast.Import) else [node.module or "."]
    for module in modules:
        if module not in MODULES:
            raise Refused(f"importing {module[:40]!r} is not allowed: only math and statistics can be imported")
    if isinstance(node, ast.Import):
        if any(alias.asname not in (None, alias.name) for alias in node.names):
            raise Refused("a module keeps its name: write 'import math'")
        return
    for name in names:
        if name not in MODULES[modules[0]] or node.level:
            raise Refused(f"{name[:40]!r} cannot be imported from {modules[0]}")
