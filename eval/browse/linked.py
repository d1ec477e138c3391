"""What a page needs to link into a bundle: where each run is in it, and whether the bundle shows the same runs."""

from itertools import compress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from medvision_agent.eval.browse.forms import Index, Rows
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.report.links import Place

__all__ = ["is_bundle_of", "places"]

_LONGEST = 1000
_Form = TypeVar("_Form", bound=BaseModel)


def places(library: Library, bundle: Path) -> dict[Path, Place]:
    """Return what a link to each run needs, by the run's resolved folder: keys, arm, and samples with a conversation.

    *bundle* must be the folder of a bundle of *library*.
    """
    library.look()
    return {
        run.feed.folder.resolve(): Place(
            key, run.place.study or "", whole(run.place.arm, _LONGEST), _samples(bundle, key)
        )
        for key, run in library.runs.items()
    }


def is_bundle_of(library: Library, folder: Path) -> bool:
    """Return whether a folder is a bundle of the current *library* by this version, with any number of samples."""
    index = _part(folder, "index", Index)
    if index is None:
        return False
    library.read_on()
    return index.model_copy(update={"bounded": ""}) == library.index(live=False)


def _samples(bundle: Path, key: str) -> frozenset[str]:
    """Return the ids of the samples of the run *key* whose conversations a bundle holds; empty if it lacks the run."""
    rows = _part(bundle, f"rows/{key}", Rows)
    return frozenset(compress(rows.id, rows.has_talk)) if rows is not None else frozenset()


def _part(bundle: Path, part: str, form: type[_Form]) -> _Form | None:
    """Return one part of a bundle's data, such as ``rows/r1``, as *form*; None if missing or of another version."""
    try:
        text = (bundle / "data" / f"{part}.js").read_text(encoding="utf-8")
        return form.model_validate_json(text.partition(", ")[2].rstrip().removesuffix(");"))
    except (OSError, ValueError):
        return None
