"""Names of tools as models write them."""

import re
from collections.abc import Collection

__all__ = ["plain_name"]

_MARKUP = re.compile(r"<\||:[0-9]+\Z")


def plain_name(name: str, declared: Collection[str]) -> str:
    """Return a tool's name without prefixes that models add (``functions.ruler``, ``default_api:ruler``).

    Remainders of call markup that servers leave are removed too: ``ruler<|channel|>commentary``, ``functions.ruler:0``.
    A name that is not among *declared* after this is returned as written.
    """
    name = name.strip()
    bare = _MARKUP.split(name, maxsplit=1)[0].strip().removesuffix(".call")
    bare = re.split(r"[.:]", bare)[-1]
    return bare if bare in declared and name not in declared else name
