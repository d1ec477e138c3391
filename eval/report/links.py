"""Links of a report into the viewer's bundle that was written beside it."""

from urllib.parse import urlencode

__all__ = ["samples_link"]


def samples_link(viewer: str, study: int, *, arm: str, against: str, task: str = "") -> str:
    """Return the address of the viewer's table of samples, those first in which the two arms differ most.

    *viewer* is the relative URL of a bundle, *study* the number of the chapter in the report, from 1.
    """
    wanted = {"study": str(study), "task": task, "arm": arm, "against": against, "sort": "difference"}
    return f"{viewer}#/samples?{urlencode({name: value for name, value in wanted.items() if value})}"
