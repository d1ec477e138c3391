"""Names of tools as models write them."""

from collections.abc import Collection

__all__ = ["plain_name"]


def plain_name(name: str, declared: Collection[str]) -> str:
    """Return the name of a tool without what models put around it (``functions.ruler``, ``default_api.ruler``)."""
    name = name.strip()
    bare = name.removesuffix(".call").rpartition(".")[2]
    return bare if bare in declared and name not in declared else name
