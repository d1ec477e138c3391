"""Twenty typical mistakes in samples of one's own: what a line says wrongly, and what a check says of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from medvision_agent.tools.view.png import encode_png

HEIGHT, WIDTH = 160, 200
SPACING = {"height_mm": 0.8, "width_mm": 0.5}
Line = dict[str, Any] | str


def points(*named: tuple[str, float, float]) -> list[dict[str, Any]]:
    return [{"name": name, "x": x, "y": y} for name, x, y in named]


AXES = points(("major 1", 50, 80), ("major 2", 130, 80), ("minor 1", 90, 65), ("minor 2", 90, 95))
"""40 mm x 24 mm."""
ENDS = points(("p", 50, 20), ("q", 50, 120))
"""80 mm."""
LINES = points(("a", 20, 20), ("b", 100, 20), ("c", 20, 40), ("d", 100, 90))
"""45 degrees."""
BOX = points(("lower left", 60, 120), ("upper right", 160, 40))


def sample(name: str, task: str, **fields: Any) -> dict[str, Any]:
    """Return a sound sample with a picture and a subject of its own, but for *fields*."""
    asked = {
        "size": {"label": "tumour", "target": [40.0, 24.0], "truth_points": AXES},
        "distance": {"landmarks": ["p", "q"], "target": [80.0], "truth_points": ENDS},
        "angle": {"landmarks": ["a", "b", "c", "d"], "target": [45.0], "truth_points": LINES},
        "area": {"label": "tumour", "target": [754.0]},
        "detection": {"label": "tumour", "target": [0.3, 0.25, 0.8, 0.75], "truth_points": BOX},
    }[task]
    common = {
        "id": name,
        "task": task,
        "image": f"images/{name}.png",
        "pixel_size": SPACING,
        "modality": "CT",
        "plane": "axial",
        "convention": "edge",
        "dataset": "d",
        "subject": f"d/{name}",
    }
    return common | asked | fields


def volume(name: str, **fields: Any) -> dict[str, Any]:
    """Return a sample of a slice of a volume whose file is called *name*."""
    one = sample(name, "distance", image=f"images/{name}.nii", volume={"slice_dim": 2, "slice_idx": 1}, **fields)
    return {key: value for key, value in one.items() if key not in {"pixel_size", "truth_points"}} | {"target": [30.0]}


REFUSED: dict[str, tuple[Callable[[str], Line], str, str]] = {
    "missing-picture": (lambda n: sample(n, "size", image="images/none.png"), "image", "cannot be read"),
    "damaged-picture": (lambda n: sample(n, "size", image="images/damaged.png"), "image", "incomplete or damaged"),
    "spacing-in-cm": (
        lambda n: sample(n, "size", pixel_size={"height_mm": 0.08, "width_mm": 0.05}, target=[40.0, 24.0]),
        "target",
        "10 times too long|longer than the image",
    ),
    "spacing-in-micrometres": (
        lambda n: sample(n, "angle", pixel_size={"height_mm": 800, "width_mm": 500}),
        "pixel_size.height_mm",
        "expected 0.01 to 10 mm; it would be 0.8 mm if it is in micrometres",
    ),
    "spacing-exchanged": (
        lambda n: sample(n, "distance", pixel_size={"height_mm": 0.5, "width_mm": 0.8}),
        "target",
        "are height_mm and width_mm exchanged",
    ),
    "spacing-zero": (
        lambda n: sample(n, "size", pixel_size={"height_mm": 0, "width_mm": 0.5}),
        "pixel_size.height_mm",
        "greater than 0",
    ),
    "target-in-micrometres": (
        lambda n: sample(n, "distance", target=[80_000.0], truth_points=[]),
        "target",
        "longer than the image's diagonal, 162.432 mm .* is the target in micrometres",
    ),
    "target-in-cm": (lambda n: sample(n, "distance", target=[8.0]), "target", "10 times too short.* in cm"),
    "target-in-pixels": (lambda n: sample(n, "distance", target=[100.0]), "target", "is the target in pixels"),
    "points-give-another": (
        lambda n: sample(n, "distance", target=[63.0]),
        "target",
        "truth_points give 80 mm; correct",
    ),
    "corners-exchanged": (lambda n: sample(n, "detection", target=[0.8, 0.75, 0.3, 0.25]), "target", "x1 < x2"),
    "box-with-sides": (
        lambda n: sample(n, "detection", target=[0.3, 0.25, 0.5, 0.5]),
        "target",
        "is the target x, y, width and height",
    ),
    "axes-exchanged": (
        lambda n: sample(n, "size", target=[24.0, 40.0]),
        "target",
        "are major and minor axis exchanged",
    ),
    "angle-in-radians": (lambda n: sample(n, "angle", target=[0.7854]), "target", "is the target in radians"),
    "points-outside": (
        lambda n: sample(n, "distance", truth_points=points(("p", 50, 20), ("q", 250, 120))),
        "truth_points",
        "'q' .250, 120. lies outside the image of 200 x 160 px",
    ),
    "id-twice": (lambda n: sample(n, "size", id="sound"), "id", "is the id of another sample too, at .*:1"),
    "picture-of-another": (
        lambda n: sample(n, "size", image="images/sound.png", target=[40.0, 24.4]),
        "subject",
        "one image shows one person",
    ),
    "blank-subject": (lambda n: sample(n, "size", subject="  "), "subject", "is blank"),
    "unknown-task": (lambda n: sample(n, "size") | {"task": "length"}, "task", "Input should be"),
    "header-in-conflict": (volume, "image", "pixdim says a spacing of .*sform"),
}
"""Twenty mistakes that are refused: the line, the field that is named, and a part of what is said."""


def write(folder: Path, lines: list[Line]) -> Path:
    """Write a file of samples, and a picture or a volume of its own for each that names one."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    for line in lines:
        image = line.get("image", "") if isinstance(line, dict) else ""
        path = folder / image
        if path.exists() or image.endswith("none.png"):
            continue
        if image.endswith(".png"):
            png = encode_png(random.integers(0, 256, (HEIGHT, WIDTH), np.uint8))
            path.write_bytes(png[:-300] if "damaged" in image else png)
        elif image:
            save_volume(path, conflict=path.stem == "header-in-conflict")
    file = folder / "samples.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def save_volume(
    path: Path,
    *,
    conflict: bool = False,
    unit: str = "mm",
    turned: bool = False,
    shifted: bool = False,
) -> None:
    """Write a volume of 60 x 50 x 4 voxels of 0.8 x 0.8 x 3 mm, with a header that has one fault."""
    affine = np.diag([-0.8, -0.8, 3.0, 1.0])
    if turned:
        affine = affine[:, [2, 0, 1, 3]]
    voxels = np.random.default_rng(2).integers(-100, 300, (60, 50, 4)).astype(np.int16)
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units(unit)
    image.set_qform(affine, code=1)
    image.set_sform(affine + (np.diag([0, 0, 0], 1)[:4, :4] if not shifted else shift()), code=1)
    if conflict:
        image.header.set_sform(np.diag([-0.4, -0.4, 3.0, 1.0]), code=1)
        image = nibabel.Nifti1Image(voxels, None, image.header)
    nibabel.save(image, path)


def shift() -> np.ndarray:
    """Return what moves a volume by 5 mm."""
    moved = np.zeros((4, 4))
    moved[0, 3] = 5.0
    return moved
