"""Files and folders that are written whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import StorageError

__all__ = ["placed"]


@contextmanager
def placed(out: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder at, and move it to *out* at the end, in place of what is there.

    Raises StorageError where *out* cannot be written. Where anything fails, *out* is as it was.
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
        raise StorageError(f"{out}: cannot write it ({error.strerror or error})") from None
