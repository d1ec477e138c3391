"""Boxes on real scans beside those that MedVision's own planner derived from the same masks."""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest

from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.importer import import_images

MINI = Path(__file__).parents[2] / "data/medvision-mini"
PLANES = ("sagittal", "coronal", "axial")


def planned(kind, most):
    """Return MedVision's records of a kind, some of each plane, by mask, plane and slice."""
    found, counts = defaultdict(list), defaultdict(int)
    with gzip.open(MINI / "expected.jsonl.gz", "rt") as lines:
        for one in map(json.loads, lines):
            record = one["record"]
            place = tuple(record[key] for key in ("image_file", "mask_file", "slice_dim", "slice_idx") if key in record)
            if record["taskType"] != kind or len(place) < 4 or not (MINI / "Data" / place[1]).is_file():
                continue
            if place in found or counts[place[2]] < most:
                counts[place[2]] += place not in found
                found[place].append(one)
    return found


def test_boxes_are_as_long_and_wide_as_medvisions(tmp_path):
    count = 0
    for at, ((image, mask, dim, index), records) in enumerate(planned("Box-Size", 4).items()):
        labels = {int(one["record"]["label"]): f"structure {one['record']['label']}" for one in records}
        choices = Choices(
            images=MINI / "Data" / image, masks=MINI / "Data" / mask, labels=labels, plane=PLANES[dim], slices=index,
            tasks=("detection",), convention="inclusive-index",
        )  # fmt: skip
        import_images(choices, tmp_path / str(at))
        source = open_source(str(tmp_path / str(at) / "samples.jsonl"))
        ours = {sample.label: sample for sample in source.samples}
        for one in records:
            sample = ours[f"structure {one['record']['label']}"]
            height, width = source.load(sample).values.shape
            x1, y1, x2, y2 = sample.target
            a, b, c, d = one["target"]
            rows, columns = one["record"]["image_size_2d"]
            assert (height, width) == (columns, rows)  # upright: MedVision's pictures lie on their side
            assert ((y2 - y1) * height, (x2 - x1) * width) == pytest.approx(
                ((c - a) * columns, (d - b) * rows), abs=1e-3
            )
            count += 1
    assert count >= 12
