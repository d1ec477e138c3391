"""Points in a model's Python code: the code is parsed, never run.

Points are read in one of three ways. The first way is used that finds as many coordinates as one number of the task
needs, or all its numbers, all inside the image:

* differences of two numbers, or of names and items that hold numbers: ``(x2 - x1)``, ``0.71 - 0.10``, ``b[0] - a[0]``.
  Two in a row are a line; names that begin with y say which is the vertical one, else the order of the convention;
* pairs of numbers, ``(0.10, 0.50)``, in the order of the convention;
* the numbers of one call of a function, ``length(0.10, 0.50, 0.71, 0.50)``.
"""

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.scene import Scene
from medvision_agent.tools.view.geometry import Point

__all__ = ["coded_points"]

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Term:
    """A number in the code, with its name; the name is empty for a literal."""

    value: float
    name: str = ""


def coded_points(task: Task, code: str, scene: Scene) -> list[tuple[Point, ...]]:
    """Return the points (slice frame) of each number that *code* computes: two for a length, four for an angle.

    Empty if the code has no such points, or if they are ambiguous.

    They are ambiguous if there are views besides v0 (the whole image), to which the coordinates might refer.
    """
    tree = None if scene.cropped else _parsed(code)
    if tree is None:
        return []
    nodes = list(ast.walk(tree))
    known = dict(_assigned(nodes))
    step = task.quantity.points
    frame, size = scene.views.frame, scene.views.whole.perceived
    for pairs in (_differences(nodes, known, y_first=frame.y_first), _pairs(nodes), _called(nodes, step)):
        placed = [(b, a) if frame.y_first else (a, b) for a, b in pairs]
        count, rest = divmod(len(placed), step)
        if not rest and 1 <= count <= len(task.numbers) and all(frame.holds(*pair, size) for pair in placed):
            points = [scene.views.point(scene.views.whole, x, y) for x, y in placed]
            return [tuple(points[k : k + step]) for k in range(0, len(points), step)]
    return []


def _parsed(code: str) -> ast.Module | None:
    """Return the syntax tree of *code*; None where it is not valid Python, or too large to be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _assigned(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, float]]:
    """Yield every name, and every item of a named list, with a number as value: ``x1``, ``a[0]``."""
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            items = value.elts if isinstance(value, ast.Tuple | ast.List) else None
            if isinstance(target, ast.Name):
                named = (
                    [(target.id, value)] if items is None else [(f"{target.id}[{k}]", v) for k, v in enumerate(items)]
                )
            elif isinstance(target, ast.Tuple) and items is not None:
                named = [(one.id, v) for one, v in zip(target.elts, items, strict=False) if isinstance(one, ast.Name)]
            else:
                named = []
            for name, one in named:
                if (number := _number(one)) is not None:
                    yield name, number


def _number(node: ast.AST) -> float | None:
    """Return the value of a literal number; None for any other node, and for a number that no float can hold."""
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _term(node: ast.AST, known: Mapping[str, float]) -> _Term | None:
    """Return a literal number, or a name of *known* with its value; None for any other node."""
    number = _number(node)
    if number is not None:
        return _Term(number)
    name = ""
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        name = f"{node.value.id}[{node.slice.value!r}]"
    return _Term(known[name], name) if name in known else None


def _differences(nodes: Sequence[ast.AST], known: Mapping[str, float], *, y_first: bool) -> list[Pair]:
    """Return the ends of lines of which *nodes* compute both coordinate differences: start and end of each line.

    Coordinates are in the order of the convention, which *y_first* states. Empty if a difference has no partner.
    """
    steps: list[tuple[_Term, _Term]] = []
    for node in sorted(
        (one for one in nodes if isinstance(one, ast.BinOp)), key=lambda one: (one.lineno, one.col_offset)
    ):
        if isinstance(node.op, ast.Sub):
            ends = _term(node.right, known), _term(node.left, known)
            if ends[0] is not None and ends[1] is not None and (ends[0], ends[1]) not in steps:
                steps.append((ends[0], ends[1]))
    if len(steps) % 2:
        return []
    found: list[Pair] = []
    for one, two in zip(steps[::2], steps[1::2], strict=True):
        initials = one[0].name[:1] + two[0].name[:1]
        turned = initials == ("xy" if y_first else "yx")
        first, second = (two, one) if turned else (one, two)
        found += [(first[0].value, second[0].value), (first[1].value, second[1].value)]
    return found


def _pairs(nodes: Sequence[ast.AST]) -> list[Pair]:
    """Return the different pairs of literal numbers in tuples and lists of two, in the order of the code."""
    pairs = [node for node in nodes if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 2]
    found = dict.fromkeys(
        (a, b)
        for node in sorted(pairs, key=lambda one: (one.lineno, one.col_offset))
        if (a := _number(node.elts[0])) is not None and (b := _number(node.elts[1])) is not None
    )
    return list(found)


def _called(nodes: Sequence[ast.AST], step: int) -> list[Pair]:
    """Return the points that are passed to function calls as 2 * *step* literal numbers, in the order of the code."""
    found: list[Pair] = []
    calls = [node for node in nodes if isinstance(node, ast.Call) and len(node.args) == 2 * step]
    for node in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
        numbers = [number for one in node.args if (number := _number(one)) is not None]
        if len(numbers) == 2 * step:
            found += zip(numbers[::2], numbers[1::2], strict=True)
    return found
