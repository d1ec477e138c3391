"""Writes the folder of an import: samples, images, the contact sheets, the summary and the questions.

The folder appears whole or not at all: it is written beside its place under another name and moved there at the end.
An image file is named by its content. The folder holds only pixels, geometry and the user's own words: no header is
copied, and no name of a file or a person reaches it.
"""

import hashlib
import re
from pathlib import Path
from typing import Self, TextIO

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.asking.recipe import recipe_named
from medvision_agent.eval.data.sample import Landmark, Marks, PixelSize, Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.data.sources.checks import check_points, check_sample
from medvision_agent.eval.data.sources.picture import MAX_SIDE, to_levels
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Question, Scan
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.sheet import Sheet
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Units

__all__ = ["Writer", "check_free"]

_OURS = re.compile(r"samples\.jsonl|images|sheet-\d+\.png|summary\.md|questions\.md")
_OBLIQUE_DEG = 1.0
"""Angle to the anatomical plane from which a slice is called oblique."""
_DIGITS = 9
"""Decimals of a target and of a point that are written."""


def check_free(out: Path, *, force: bool) -> None:
    """Raise StorageError where *out* exists, unless it is an earlier import and *force* says to replace it."""
    if not out.exists():
        return
    if not force:
        raise StorageError(
            f"{out}: exists already; choose another folder, or give --force, which replaces an earlier import"
        )
    names = [item.name for item in out.iterdir()] if out.is_dir() else []
    if "samples.jsonl" not in names or not all(_OURS.fullmatch(name) for name in names):
        raise StorageError(
            f"{out}: is not an earlier import, or holds other files, so --force does not replace it; choose another "
            "name"
        )


class Writer:
    """A writer of the samples of an import into a folder, one at a time."""

    def __init__(self, folder: Path, choices: Choices, ledger: Ledger) -> None:
        self._folder, self._choices, self._ledger = folder, choices, ledger
        (folder / "images").mkdir(parents=True)
        self._lines: TextIO = (folder / "samples.jsonl").open("w", encoding="utf-8", newline="\n")
        self._ids: set[str] = set()
        self._sheet = Sheet(folder)
        self.subjects: set[str] = set()
        self.tasks: dict[str, int] = {}

    def add(self, scan: Scan, question: Question, subject: str) -> Sample:
        """Write one sample and its image, and return the sample; raises DataError if it would not be a valid sample."""
        cut = scan.cut(question.plane or self._choices.plane)
        native = NativeImage(
            scan.picture(cut, question.index), scan.displayed, Units.HU if scan.hu else Units.UNKNOWN
        )  # fmt: skip
        if max(native.values.shape) > MAX_SIDE:
            raise DataError(
                f"the image has {native.values.shape[1]} x {native.values.shape[0]} px; at most {MAX_SIDE} px a side "
                "are accepted"
            )
        self._ledger.note("annotator", "stated" if question.annotator or self._choices.annotator else "not known")
        sample = self._sample(scan, question, subject, native.values.shape)
        stored, sample = to_levels(native, sample)
        data = encode_png(stored)
        sample = sample.but(image=f"images/{hashlib.sha256(data).hexdigest()[:20]}.png")
        (self._folder / sample.image).write_bytes(data)
        self._lines.write(sample.model_dump_json(exclude_defaults=True) + "\n")
        self._sheet.add(recipe_named("medvision-1.2").slice_of(native, sample), sample)
        self.subjects.add(subject)
        if scan.grid is not None:
            off = f", {cut.tilt_deg:.1f} degrees off it" if cut.tilt_deg >= _OBLIQUE_DEG else ""
            self._ledger.note("plane", f"{cut.plane}, by the directions in the header{off}")
        self.tasks[sample.task] = self.tasks.get(sample.task, 0) + 1
        return sample

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def finish(self) -> int:
        """Write the last contact sheet, and return how many sheets were written."""
        return self._sheet.close()

    def _sample(self, scan: Scan, question: Question, subject: str, shape: tuple[int, ...]) -> Sample:
        choices, cut = self._choices, scan.cut(question.plane or self._choices.plane)
        dataset = choices.dataset or "imported"
        place = f"{scan.tag}, {cut.plane} slice {question.index}" if scan.grid else scan.tag
        oblique = (
            f"oblique: {cut.tilt_deg:.1f} degrees off the {cut.plane} plane" if cut.tilt_deg >= _OBLIQUE_DEG else ""
        )
        modality = choices.modality or scan.modality or "unknown"
        size = PixelSize(height_mm=cut.spacing.height_mm, width_mm=cut.spacing.width_mm)
        sample = Sample(
            id=self._id(scan, question),
            task=question.task,
            image="images/x.png",
            pixel_size=size,
            description=choices.description or scan.description or _described(cut.plane, modality),
            modality=modality,
            plane=cut.plane,
            label=question.label or None,
            landmarks=question.landmarks,
            measurement=question.measurement,
            target=tuple(round(number, _DIGITS) for number in question.target),
            convention=choices.convention,
            truth_points=tuple(
                Landmark(name=name, x=round(point.x, _DIGITS), y=round(point.y, _DIGITS))
                for name, point in question.points
            ),
            dataset=dataset,
            subject=f"{dataset}/{subject}",
            annotator=question.annotator or choices.annotator,
            licence=choices.licence,
            source="; ".join(filter(None, (place, oblique, *scan.notes))),
            marks=Marks(derived=question.derived),
        )
        check_points(sample, shape, place)
        return check_sample(sample, place)

    def _id(self, scan: Scan, question: Question) -> str:
        what = question.label or question.measurement or "-".join(question.landmarks)
        words = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")[:60] or "x"
        slice_part = f"_s{question.index:03}" if scan.grid else ""
        first = f"{scan.tag}{slice_part}_{question.task}_{words}"
        name, again = first, 1
        while name in self._ids:
            again += 1
            name = f"{first}-{again}"
        self._ids.add(name)
        return name


def _described(plane: str, modality: str) -> str:
    if "unknown" in {plane, modality}:
        return ""
    return f"{'An' if plane[0] in 'aeiou' else 'A'} {plane} {modality} image"
