"""What the children ask: small samples, each with an image of its own, and a study of two arms over them."""

import json
from pathlib import Path

import numpy as np

from medvision_agent.tools.view.png import encode_png


def write_samples(folder: Path, count: int) -> Path:
    """Write *count* distance samples of four subjects; returns the JSON Lines file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        (folder / f"{number}.png").write_bytes(encode_png(np.full((20, 25), number, np.uint8)))
        lines.append(line(number))
    path = folder / "samples.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


def line(number: int, **fields: object) -> dict:
    """Return one sample as JSON."""
    return {
        "id": f"s{number}",
        "task": "distance",
        "image": f"{number}.png",
        "pixel_size": {"height_mm": 1.0, "width_mm": 0.5},
        "modality": "MR",
        "plane": "axial",
        "landmarks": [f"start {number}", f"end {number}"],
        "target": [8.0],
        "convention": "edge",
        "dataset": "d",
        "subject": f"d/{number % 4}",
    } | fields


def write_study(folder: Path, data: Path, connections: int, models: str = "models: [baseline-cv]") -> Path:
    """Write a study of an arm without tools and an arm with two; returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.yaml"
    path.write_text(
        f"name: matrix\n{models}\ndata: {data}\nmax_connections: {connections}\n"
        "arms: {off: {tools: off}, on: {tools: 'crop,ruler'}}\n",
        encoding="utf-8",
    )
    return path
