"""What a page that links into a bundle must know: where each run stands in it, and whether it is of these runs."""

from pathlib import Path

from medvision_agent.eval.browse.forms import Index
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.report.links import Place

__all__ = ["is_bundle_of", "places"]

_LONGEST = 1000


def places(library: Library) -> dict[Path, Place]:
    """Return what the page calls each run, by its resolved folder; a bundle of the same folders has the same keys."""
    library.look()
    return {
        run.feed.folder.resolve(): Place(key, run.place.study or "", whole(run.place.arm, _LONGEST))
        for key, run in library.runs.items()
    }


def is_bundle_of(library: Library, folder: Path) -> bool:
    """Say whether a folder is a bundle of what *library* holds now, made by this version, with however many samples."""
    try:
        text = (folder / "data" / "index.js").read_text(encoding="utf-8")
        index = Index.model_validate_json(text.partition(", ")[2].rstrip().removesuffix(");"))
    except (OSError, ValueError):
        return False
    library.read_on()
    return index.model_copy(update={"bounded": ""}) == library.index(live=False)
