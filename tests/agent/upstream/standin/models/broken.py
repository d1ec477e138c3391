"""A model whose own packages are not installed."""

import a_package_that_is_nowhere  # noqa: F401


class Broken:
    """Never made."""
