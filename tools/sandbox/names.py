"""The functions that the ``python`` tool's evaluator knows, each bounded before it computes.

Runs in the child only and imports nothing of ours. Everything a model's text can reach is in these tables.
"""

import math
import re
import statistics
from collections.abc import Callable
from typing import Any

__all__ = [
    "BITS",
    "BUILTINS",
    "ITEMS",
    "KEYWORDS",
    "METHODS",
    "MODULES",
    "SPEC",
    "Function",
    "Refused",
    "power",
]

BITS = 4096
"""Longest whole number, in binary digits."""
ITEMS = 100_000
"""Longest range, list, tuple or dict."""
SPEC = re.compile(r"[<>^]?[ +]?0?\d{0,2},?(\.\d{1,2})?[defgFGE%]?")
"""Formats of numbers in an f-string."""
_DIGITS = 400
_COUNT = 1000


class Refused(Exception):  # noqa: N818 (it is an answer, not a mistake of ours)
    """What was asked is not done; the text says why, in words a model can act on."""


class Function:
    """A function as a value: only called by the evaluator or as a ``key``; shown without an address."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name = name
        self.call = call

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call it."""
        return self.call(*args, **keywords)


def power(base: Any, exponent: Any, modulus: Any = None) -> Any:
    """``base ** exponent``; a whole number of more than BITS binary digits is refused before it is computed."""
    if modulus is not None:
        return pow(base, exponent, modulus)
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > BITS:
        raise Refused("the power is too large; use floats, or math.log")
    return base**exponent


def _span(*args: Any) -> range:
    """``range`` of at most ITEMS numbers."""
    made = range(*args)
    # len() of a longer range than a machine word counts would raise OverflowError.
    if made and abs(made[-1] - made[0]) // abs(made.step) >= ITEMS:
        raise Refused(f"the range is longer than {ITEMS} numbers")
    return made


def _round(number: Any, ndigits: Any = None) -> Any:
    if isinstance(ndigits, int) and abs(ndigits) > _DIGITS:
        raise Refused(f"round: ndigits must be from -{_DIGITS} to {_DIGITS}")
    return round(number, ndigits)


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        if any(isinstance(value, int) and abs(value) > _COUNT for value in args):
            raise Refused(f"{function.__name__}: only up to {_COUNT}")
        return function(*args)

    return call


def _listed(function: Callable[..., Any]) -> Callable[..., Any]:
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
KEYWORDS = frozenset(
    (
        *("abs_tol", "base", "default", "end", "key", "method", "mod", "mu", "n", "ndigits", "rel_tol", "reverse"),
        *("sep", "start", "strict", "weights", "xbar"),
    )
)
"""Names of arguments in calls of the functions above."""
