"""Import a package without an optional part of it that this program never uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

__all__ = ["skipped"]


@contextmanager
def skipped(module: str) -> Iterator[None]:
    """Have imports of *module* fail with ImportError within the context, unless it was imported before.

    Only for a module that its package imports inside ``try`` and can do without. The package then keeps what it has in
    place of the module until the process ends.
    """
    modules = cast("dict[str, Any]", sys.modules)
    if module in modules:
        yield
        return
    modules[module] = None  # Python's documented way to prevent an import
    try:
        yield
    finally:
        del modules[module]
