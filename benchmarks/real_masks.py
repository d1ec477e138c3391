"""Real images with masks, and the prompts that imitate a model's arguments for a tool.

``read_folder`` reads a folder of cases (``index.json``, ``ID.npz``), ``read_packages`` the masks that published
packages bring, downloaded as ``scripts/build_demo.py`` says. The halves for cross-fitting are a hash of the subject's
name, and the noise of a prompt is seeded by the case, so that no run differs from another.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.segment.candidates import Prompt
from medvision_agent.tools.segment.contour import Mask, component, measure_mask
from medvision_agent.tools.view.geometry import Point, Region, Spacing
from medvision_agent.tools.view.slice import Slice, Window

sys.path.append(str(Path(__file__).parent.parent / "scripts"))

REGIONS = ("exact", "margin", "side", "image")
"""The box of the mask; each edge 20% of the side further out; each edge off by a normal error with a standard
deviation of 10% of the side; by one of 4% of the image's side."""
SEEDS = ("seed", "seed off")
"""A seed at the mask's centre (the pixel of the mask nearest to it); off by 10% of the sides of the box, inside."""
PROMPTS = (*REGIONS, *SEEDS)
LEAST_PIXELS = 100
"""Masks of packages with fewer pixels are left out."""


@dataclass(frozen=True, eq=False)
class Case:
    """One slice with the mask of one structure."""

    name: str
    group: str
    subject: str
    image: Slice
    mask: Mask
    known: tuple[float, float] | None = None
    """The axes in mm where they are known better than from the mask."""

    @property
    def half(self) -> int:
        """The half that the subject belongs to, 0 or 1."""
        return int(hashlib.sha256(self.subject.encode()).hexdigest(), 16) % 2

    @cached_property
    def axes(self) -> tuple[float, float]:
        """The true axes in mm: of the ellipse fitted to the mask's outline, where they are not known exactly."""
        if self.known is not None:
            return self.known
        ellipse = measure_mask(self.mask, self.image.spacing).ellipse
        return ellipse.major_mm, ellipse.minor_mm

    @cached_property
    def box(self) -> Region:
        """The box of the mask."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return Region(float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1)

    def prompt(self, kind: str, draw: int = 0) -> Prompt:
        """Return a prompt of one of the kinds of PROMPTS; *draw* counts the draws of its noise."""
        seed = hashlib.sha256(f"{self.name}/{kind}/{draw}".encode()).hexdigest()
        noise = np.random.default_rng(int(seed[:12], 16))
        if kind.startswith("seed"):
            return Prompt(inside=self._seed(noise if kind == "seed off" else None))
        box, (height, width) = self.box, self.mask.shape
        sides = np.array((box.width, box.height, box.width, box.height))
        moves = {
            "exact": np.zeros(4),
            "margin": np.array((-0.2, -0.2, 0.2, 0.2)) * sides,
            "side": noise.normal(0, 0.1, 4) * sides,
            "image": noise.normal(0, 0.04, 4) * np.array((width, height, width, height)),
        }[kind]
        x0, y0, x1, y1 = (np.array((box.x0, box.y0, box.x1, box.y1)) + moves).tolist()
        across, down = _apart(x0, x1, width), _apart(y0, y1, height)
        return Prompt(Region(across[0], down[0], across[1], down[1]))

    def _seed(self, noise: np.random.Generator | None) -> Point:
        rows, columns = np.nonzero(self.mask)
        x, y = columns.mean(), rows.mean()
        if noise is not None:
            x, y = (x, y) + noise.normal(0, 0.1, 2) * (self.box.width, self.box.height)
        nearest = int(np.argmin((columns - x) ** 2 + (rows - y) ** 2))
        return Point(float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5)


def _apart(low: float, high: float, limit: int) -> tuple[float, float]:
    """Return two edges in order, at least two pixels apart, within the image."""
    middle, half = (low + high) / 2, max(1.0, (high - low) / 2)
    low, high = max(0.0, middle - half), min(float(limit), middle + half)
    return min(low, limit - 2.0), max(high, 2.0)


def read_folder(folder: Path) -> Iterator[Case]:
    """Yield the cases of a folder with ``index.json`` and one ``ID.npz`` each."""
    for row in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        with np.load(folder / f"{row['id']}.npz") as file:
            height, width = (int(side) for side in file["shape"])
            mask = np.unpackbits(file["mask"])[: height * width].reshape(height, width).astype(np.bool_)
            values = file["values"]
        spacing = Spacing(row["height_mm"], row["width_mm"])
        yield Case(row["id"], row["group"], row["subject"], _slice(values, spacing), mask)


def read_packages(root: Path) -> Iterator[Case]:
    """Yield the masks of unpacked packages: the largest slice of each structure (of each tumour in each plane)."""
    from demo.pictures import TOTALSEGMENTATOR  # noqa: PLC0415 - needs packages that only the demo set needs
    from demo.volumes import read_nifti, read_nrrd  # noqa: PLC0415

    for person in ("brain1", "lung1", "lung2", "breast1"):
        image, label = (read_nrrd(root / f"pyradiomics/data/{person}_{kind}.nrrd") for kind in ("image", "label"))
        for plane in ("axial", "coronal", "sagittal"):
            yield from _widest(f"{person} {plane}", "tumour (package)", person, image, label, plane, 1)
    reference = root / TOTALSEGMENTATOR
    for person, files in {"ts-ct": ("ct", "seg"), "ts-mr": ("mr", "seg_mr")}.items():
        image, label = (
            read_nifti(reference / f"example_{files[0]}_sm.nii.gz"),
            read_nifti(reference / f"example_{files[1]}.nii.gz"),
        )
        for number in np.unique(label.values)[1:].tolist():
            yield from _widest(f"{person} {number}", "organ (package)", person, image, label, "axial", number)
    for person, (vertebra, name) in {"ct": (22, "ct"), "mri": (6, "T2w")}.items():
        folder = root / f"tptbox/TPTBox/tests/sample_{person}"
        image = read_nifti(folder / f"sub-{person}_label-{vertebra}_{name}.nii.gz")
        label = read_nifti(folder / f"sub-{person}_seg-vert_label-{vertebra}_msk.nii.gz")
        for number in (vertebra, 100 + vertebra):
            subject = f"tpt-{person}"
            yield from _widest(
                f"{subject} {number}", "vertebra, disc (package)", subject, image, label, "sagittal", number
            )


def _widest(  # noqa: PLR0917 - a list of what varies
    name: str, group: str, subject: str, image: Any, label: Any, plane: Any, number: int
) -> Iterator[Case]:
    """Yield the slice of *plane* that shows most of a label, unless it is small or in several pieces."""
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    counts = np.count_nonzero(label.values == number, axis=tuple({0, 1, 2} - {axis}))
    mask = np.asarray(label.cut(plane, int(counts.argmax())) == number, np.bool_)
    if mask.sum() >= LEAST_PIXELS and component(mask).sum() == mask.sum():
        yield Case(name, group, subject, _slice(image.cut(plane, int(counts.argmax())), image.spacing(plane)), mask)


def _slice(values: NDArray[Any], spacing: Spacing) -> Slice:
    low, high = np.percentile(values, (0.5, 99.5))
    return Slice(np.ascontiguousarray(values, np.float32), spacing, Window(float(low), float(high)))
