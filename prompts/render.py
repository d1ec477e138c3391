"""Rendering of the templates beside this file. Every word a model reads comes from here or from a tool.

Contract: a missing value is an error (never an empty hole in a prompt), output is the same for the same input,
and the hash of all templates identifies the wording of a run.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

__all__ = ["render", "templates_sha256"]

_FOLDER = Path(__file__).parent


@cache
def _environment() -> SandboxedEnvironment:
    # Plain text for a model, never HTML: nothing is escaped.
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


@cache
def _source(name: str) -> str:
    return (_FOLDER / f"{name}.j2").read_text(encoding="utf-8")


def render(name: str, **values: Any) -> str:
    """Return template *name* filled with *values*; raises jinja2.UndefinedError if one is missing."""
    return _environment().from_string(_source(name)).render(values).strip()


@cache
def templates_sha256() -> str:
    """Return the hash over all templates, by name: it changes when any word changes."""
    digest = sha256()
    for path in sorted(_FOLDER.glob("*.j2")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
