"""Rendering of the templates beside this file: the words a model reads, but for what tools declare and reply.

Contract: a missing value is an error (never an empty hole in a prompt), output is the same for the same input,
and the hash of all templates identifies the wording of a run. Templates of a user's own are rendered the same way,
in a sandbox.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

__all__ = ["render", "templates_sha256"]

_FOLDER = Path(__file__).parent
_AREAS = _FOLDER / "areas"
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def render(template: str, own: Mapping[str, str] | None = None, **values: Any) -> str:
    """Return the shipped template named *template*, filled with *values*; a text of that name in *own* replaces it.

    Raises a jinja2.TemplateError if a value is missing or a text of *own* is no template.
    """
    environment = _environment(tuple(sorted((own or {}).items())))
    return environment.get_template(f"{template}.j2").render(values).strip()


@lru_cache(maxsize=32)
def _environment(own: tuple[tuple[str, str], ...]) -> SandboxedEnvironment:
    texts = DictLoader({f"{name}.j2": text for name, text in own})
    # Plain text for a model, never HTML: nothing is escaped.
    return SandboxedEnvironment(
        loader=ChoiceLoader([texts, FileSystemLoader([_FOLDER, _AREAS])]), undefined=StrictUndefined, autoescape=False
    )


@cache
def templates_sha256(*, areas: bool = False) -> str:
    """Return the hash over the templates of all prompts, by name: it changes when any word of them changes.

    Comments in a template reach no model and do not count. Templates in a subfolder (the words of replies, of grammars,
    of paraphrases) do not count either: they are hashed where they are used. So the question about an area counts only
    where areas are asked (*areas*), and the hash of every other run stays as it was before that task existed.
    """
    digest = sha256()
    for path in [*sorted(_FOLDER.glob("*.j2")), *(sorted(_AREAS.glob("*.j2")) if areas else ())]:
        words = _COMMENT.sub("", path.read_text(encoding="utf-8"))
        digest.update(path.name.encode() + b"\0" + words.encode() + b"\0")
    return digest.hexdigest()
