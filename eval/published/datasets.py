"""The datasets that MedVision publishes, as its preprint lists them, and how many annotations each release has."""

import json
from importlib.resources import files
from typing import Any

__all__ = ["published_datasets", "release_rows"]


def published_datasets() -> dict[str, Any]:
    """Return the table of datasets of MedVision's preprint as JSON data.

    The key ``releases`` has the number of annotations of every release.
    """
    text = (files("medvision_agent.eval.published") / "datasets.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def release_rows(releases: dict[str, Any]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return two tables as rows of text: counts that all releases share, and numbers of lesion sizes by release.

    *releases* is the entry ``releases`` of ``published_datasets``. There is a row for each dataset, in the second table
    only for those with lesion sizes. Counts are written as ``single-instance / all``; they are empty if a release lacks
    the dataset.
    """
    every = releases["datasets"]
    same = [
        {
            "dataset": one["dataset"],
            "since": one["since"],
            "boxes": _both(one["boxes"]),
            "angles, distances": f"{one['angles_distances']:,}" if one["angles_distances"] else "",
        }
        for one in every
    ]
    sizes = [
        {"lesion sizes": one["dataset"]} | {name: _both(one["lesion_sizes"].get(name)) for name in releases["totals"]}
        for one in every
        if one["lesion_sizes"]
    ]
    return same, sizes


def _both(counts: list[int] | None) -> str:
    return " / ".join(f"{count:,}" for count in counts) if counts else ""
