"""The language of the ``python`` tool: which Python is taken, and the functions and operators it can name.

Runs in the child only and imports nothing of ours. A tree is refused unless each of its nodes is in a list; all that a
model's text can reach is in the tables below, and each entry is bounded before it computes.
"""

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Iterator
from typing import Any

__all__ = [
    "BUILTINS",
    "CHARACTERS",
    "KEYWORDS",
    "METHODS",
    "MODULES",
    "ONLY",
    "OPERATORS",
    "SIZED",
    "SOURCE",
    "SPEC",
    "Function",
    "Refused",
    "Scope",
    "binary",
    "bounded",
    "clean",
    "parse",
    "show",
]


ONLY = "only arithmetic, math and statistics"
"""What every refusal ends with."""
SOURCE = "<code>"
"""What the parser takes for the file's name; to show a wrong line it tries to open it."""
BITS = 4096
"""Longest whole number, in binary digits."""
ITEMS = 100_000
"""Longest range, list, tuple or dict."""
CHARACTERS = 10_000
"""Longest text a value may have."""
SPEC = re.compile(r"[<>^]?[ +]?0?\d{0,2},?(\.\d{1,2})?[defgFGE%]?")
"""Formats of numbers in an f-string."""
_ASIDE = re.compile(r"#.*|'[^'\n]*'|\"[^\"\n]*\"")
"""Comments and texts of one line: near enough for naming a word in an error."""
_DIGITS = 400
_COUNT = 1000


class Refused(Exception):  # noqa: N818 (it is an answer, not a mistake of ours)
    """The code is refused; the text gives the reason in words that a model can act on."""


class Function:
    """A function as a value of the language: the evaluator calls it; its text has no memory address."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name = name
        self.call = call

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Return what the function returns for these arguments."""
        return self.call(*args, **keywords)


def power(base: Any, exponent: Any, modulus: Any = None) -> Any:
    """Return ``base ** exponent``, with *modulus* Python's ``pow``.

    Raises Refused for whole numbers whose result would have more than about BITS binary digits.
    """
    if modulus is not None:
        return pow(base, exponent, modulus)
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > BITS:
        raise Refused("the power is too large; use floats, or math.log")
    return base**exponent


def _span(*args: Any) -> range:
    """Return the ``range`` of these arguments; raises Refused where it has more than ITEMS numbers."""
    made = range(*args)
    # len() of a longer range than a machine word counts would raise OverflowError.
    if made and abs(made[-1] - made[0]) // abs(made.step) >= ITEMS:
        raise Refused(f"the range is longer than {ITEMS} numbers")
    return made


def _round(number: Any, ndigits: Any = None) -> Any:
    """Return ``round(number, ndigits)``; raises Refused for *ndigits* beyond 400 to either side of 0."""
    if isinstance(ndigits, int) and abs(ndigits) > _DIGITS:
        raise Refused(f"round: ndigits must be from -{_DIGITS} to {_DIGITS}")
    return round(number, ndigits)


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* with whole numbers limited to 1000; raises Refused for larger ones."""

    def call(*args: Any) -> Any:
        if any(isinstance(value, int) and abs(value) > _COUNT for value in args):
            raise Refused(f"{function.__name__}: only up to {_COUNT}")
        return function(*args)

    return call


def _listed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* with its results as a list instead of an iterator."""
    return lambda *args, **keywords: list(function(*args, **keywords))


_PLAIN = (abs, all, any, bool, dict, divmod, float, int, len, list, max, min, sorted, sum, tuple)
_LISTED = (enumerate, filter, map, reversed, zip)
_MATH = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees dist erf erfc exp exp2 expm1 fabs
    floor fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2
    modf pow prod radians remainder sin sinh sqrt tan tanh trunc
"""
_STATISTICS = """
    correlation covariance fmean geometric_mean harmonic_mean linear_regression mean median median_high median_low
    mode multimode pstdev pvariance quantiles stdev variance
"""

BUILTINS: dict[str, Function] = {
    **{function.__name__: Function(function.__name__, function) for function in _PLAIN},
    **{function.__name__: Function(function.__name__, _listed(function)) for function in _LISTED},
    "pow": Function("pow", power),
    "range": Function("range", _span),
    "round": Function("round", _round),
}
"""What may be called by its bare name (``print`` and ``str`` are the evaluator's own)."""
MODULES: dict[str, dict[str, Any]] = {
    "math": {
        **{name: Function(f"math.{name}", getattr(math, name)) for name in _MATH.split()},
        **{name: Function(f"math.{name}", _counting(getattr(math, name))) for name in ("comb", "factorial", "perm")},
        **{name: getattr(math, name) for name in ("e", "inf", "nan", "pi", "tau")},
    },
    "statistics": {name: Function(f"statistics.{name}", getattr(statistics, name)) for name in _STATISTICS.split()},
}
METHODS: dict[str, tuple[type, Callable[..., Any]]] = {
    "append": (list, list.append),
    "items": (dict, lambda table: list(table.items())),
    "keys": (dict, list),
    "values": (dict, lambda table: list(table.values())),
}
"""The only methods: name to the type it is called on, and what it does."""
_CALLED = "the methods " + ", ".join(f"{kind.__name__}.{name}" for name, (kind, _) in METHODS.items())
KEYWORDS = frozenset(
    (
        *("abs_tol", "base", "default", "end", "key", "method", "mod", "mu", "n", "ndigits", "rel_tol", "reverse"),
        *("sep", "start", "strict", "weights", "xbar"),
    )
)
"""Names of arguments in calls of the functions above."""
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
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
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
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
"""The operators of one and of two values, and the comparisons."""
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
_ALLOWED = frozenset((*_STATEMENTS, *_EXPRESSIONS, *OPERATORS, ast.And, ast.Or, ast.Load, ast.Store))
_WORDS = {"ClassDef": "class", "NamedExpr": "':='", "Set": "a set", "SetComp": "a set", "MatMult": "'@'", "Del": "del"}


def parse(code: str) -> ast.Module:
    """Return the syntax tree of *code*; raises Refused if it is no valid Python, too long, or has a forbidden node."""
    try:
        tree = ast.parse(code, SOURCE)
    except Refused:  # a name that is not ASCII, stopped on its way to one that is (evaluator.py)
        raise Refused(f"names must use ASCII letters (a to z), digits and _{_other_letters(code)}") from None
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


def _other_letters(code: str) -> str:
    """Return the end of a message that names the first word of *code* that is not ASCII; empty if no word is.

    Words in comments and texts do not count.
    """
    words = re.findall(r"\w+", _ASIDE.sub("", code))
    word = next((word for word in words if not word.isascii()), "")
    return word and f"; {word[:40]!r} does not"


def _check(node: ast.AST) -> None:
    """Raise Refused for a node that is not allowed."""
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
        raise Refused(f"'.{node.attr[:40]}' is not allowed: only math.NAME, statistics.NAME and {_CALLED}")


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


def binary(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """Return ``left OPERATOR right``; raises Refused, before computing, where the result would be too large."""
    if isinstance(left, str) and kind is ast.Mod:
        raise Refused("'%' on texts is not allowed; use an f-string")
    for many, times in ((left, right), (right, left)):
        if kind is ast.Mult and isinstance(many, SIZED) and isinstance(times, int) and len(many) * times > ITEMS:
            raise Refused("the list or text is too long")
    if kind is ast.LShift and isinstance(right, int) and right > BITS:
        raise Refused("the whole number is too large; use floats, or math.log")
    return OPERATORS[kind](left, right)


class Scope(dict[str, Any]):
    """The names of one function or comprehension, with the enclosing scope (``around``; None for the outermost)."""

    def __init__(self, around: "Scope | None" = None) -> None:
        super().__init__()
        self.around = around

    def find(self, name: str) -> Any:
        """Return the value of *name* in this or the nearest enclosing scope; raises Refused where none has the name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope:
                return scope[name]
            scope = scope.around
        home = next((module for module, names in MODULES.items() if name in names), None)
        hint = f"; write {home}.{name}" if home else f": {ONLY}, and names that were assigned before"
        raise Refused(f"the name {name[:40]!r} is not known here{hint}")


SIZED = (list, tuple, dict, range, str)
"""Kinds of values that have a length."""
_KINDS = frozenset((int, float, bool, str, type(None), list, tuple, dict, range, Function))
_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", dict: "{}"}


def bounded(value: Any) -> Any:
    """Return *value* (a named tuple as a plain one) if its type and size are allowed; raises Refused."""
    if isinstance(value, tuple):
        value = tuple(value)
    if type(value) not in _KINDS:
        raise Refused(f"the result is of type {type(value).__name__[:40]}, which is not there: {ONLY}")
    if isinstance(value, int) and value.bit_length() > BITS:
        raise Refused("the whole number is too large; use floats, or math.log")
    if isinstance(value, SIZED) and len(value) > (CHARACTERS if isinstance(value, str) else ITEMS):
        raise Refused("the list or text is too long")
    return value


def show(value: Any = "") -> str:
    """Return the text that ``print`` would write; raises Refused where it is longer than CHARACTERS."""
    parts: list[str] = []
    length = 0
    for part in _parts(value, quoted=False):
        parts.append(part)
        length += len(part)
        if length > CHARACTERS:
            raise Refused(f"the text of a value is longer than {CHARACTERS} characters")
    return "".join(parts)


def clean(text: str) -> str:
    """Return *text* with every character that cannot be stored or shown as its escape."""
    return "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)


def _parts(value: Any, *, quoted: bool = True) -> Iterator[str]:
    """Yield the parts of the text of a value; texts inside others are *quoted* as Python writes them."""
    kind = type(value)
    if kind is Function:
        yield f"<function {value.name}>"
    elif kind in _BRACKETS:
        yield _BRACKETS[kind][0]
        for index, item in enumerate(value):
            yield ", " if index else ""
            yield from _parts(item)
            if kind is dict:
                yield ": "
                yield from _parts(value[item])
        yield "," if kind is tuple and len(value) == 1 else ""
        yield _BRACKETS[kind][1]
    else:
        yield repr(value) if quoted else str(value)
