"""The words that code can print: the texts of its functions, with ``{}`` for what is filled in."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_WORD = re.compile(r"[A-Za-z_]{2,}")


def templates(file: str, functions: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every text of two words at least in a file's functions, or in those named, and in classes that are named.

    Docstrings are none.
    """
    for one in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(one, ast.ClassDef) and one.name in functions:
            for method in one.body:
                yield from _texts_of(method) if isinstance(method, ast.FunctionDef) else ()
        elif isinstance(one, ast.FunctionDef) and (not functions or one.name in functions):
            yield from _texts_of(one)


def _texts_of(function: ast.FunctionDef) -> Iterator[str]:
    for statement in function.body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            yield from filter(_has_words, _texts(statement))


def _has_words(text: str) -> bool:
    return len(_WORD.findall(text.replace("{}", " "))) > 1


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts below a node; what fills a template in is told beside it, and how it is formatted is no text."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def pattern(template: str) -> re.Pattern[str]:
    """Return what finds a filled-in template."""
    return re.compile(".*?".join(re.escape(part) for part in template.split("{}")))
