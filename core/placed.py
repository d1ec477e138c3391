"""Files and folders that are written whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import StorageError

__all__ = ["placed"]


@contextmanager
def placed(out: Path) -> Iterator[Path]:
    """Yield a new path at which the caller writes a file or a folder; it replaces *out* when the context ends.

    If the caller's code or the move fails, *out* is as it was. Raises StorageError where *out* cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=out.parent) as work:
            made, old = Path(work) / "made", Path(work) / "old"
            yield made
            # The old one goes only when the new one is in its place; it is removed together with *work*.
            if out.exists():
                out.replace(old)
            try:
                made.replace(out)
            except OSError:
                if old.exists():
                    old.replace(out)
                raise
    except OSError as error:
        raise StorageError(
            f"{out}: this file or folder cannot be written ({error.strerror or error}); give a place that you may "
            "write to"
        ) from None
