"""An import from end to end: images are read one at a time, turned into questions, and written.

An error in one image or one measure leaves it out, is reported, and does not stop the others. An error in a table or
an option stops the import before anything is written.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.masks import read_numbers
from medvision_agent.eval.importing import coco, nifti, pictures
from medvision_agent.eval.importing.beside import Beside
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Question, Scan
from medvision_agent.eval.importing.images import Image, is_one, list_images, read_images
from medvision_agent.eval.importing.inputs import find_inputs
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.marked import from_markups
from medvision_agent.eval.importing.markups import SUFFIXES as MARKUPS
from medvision_agent.eval.importing.measures import of_row
from medvision_agent.eval.importing.names import Names
from medvision_agent.eval.importing.people import People
from medvision_agent.eval.importing.stacked import read_stack, slice_files
from medvision_agent.eval.importing.stated import complete
from medvision_agent.eval.importing.summary import write_texts
from medvision_agent.eval.importing.table import Row, read_rows
from medvision_agent.eval.importing.targets import from_masks
from medvision_agent.eval.importing.written import Writer, check_free
from medvision_agent.placed import placed

__all__ = ["Imported", "import_images"]

_EXPECTED = {
    True: "one NIfTI file (.nii, .nii.gz) whose name begins with that of the volume or of the series' folder, or for a "
    "series a folder with an image for each slice, named like its file",
    False: "a PNG or TIFF file whose name begins with that of its image",
}
"""The mask of an image with a position, and of one without."""
_NAMED = 20
"""How many reasons the error names where nothing was imported."""


@dataclass(frozen=True)
class Imported:
    """The result of an import: the folder, counts of what was written, and the ledger."""

    out: Path
    samples: int
    tasks: Mapping[str, int]
    subjects: int
    sheets: int
    ledger: Ledger
    keys: tuple[tuple[str, Path], ...]
    """Tag and path of each image, also of those that were left out; for the user only."""


def import_images(choices: Choices, out: Path, *, force: bool = False) -> Imported:
    """Make samples of a user's images, write them to the folder *out*, and return what was done.

    Raises DataError if nothing can be imported or a table or option is wrong, and StorageError if *out* exists or
    cannot be written; with *force*, an *out* that is an earlier import is replaced.
    """
    check_free(out, force=force)
    if not (choices.masks or choices.markups or choices.table or choices.coco):
        raise DataError(
            "images alone have no ground truth: give --masks, --markups, --table or --coco (docs/import.md says how)"
        )
    inputs = find_inputs(choices.images, {path for path in (choices.masks, choices.markups, out) if path})
    ledger = Ledger()
    with placed(out) as folder, Writer(folder, choices, ledger) as writer:
        images = list_images(inputs, choices.images, ledger)
        names = Names(image.names for image in images)
        work = _Work(choices, ledger, writer, names, only=is_one(inputs, images))
        for image, scan, part in read_images(images, names, choices, ledger):
            if scan is None:
                work.pass_over(image)
            else:
                work.take(image, scan, part)
        work.finish()
        sheets = writer.finish()
        if not writer.tasks:
            reasons = [f"  {path}: {why}" for _, path, why in ledger.left[:_NAMED]]
            raise DataError("\n".join(["nothing was imported:", *reasons]))
        write_texts(folder, ledger, writer.tasks, len(writer.subjects), choices)
    samples = sum(writer.tasks.values())
    keys = tuple((image.tag, image.path) for image in images)
    return Imported(out, samples, writer.tasks, len(writer.subjects), sheets, ledger, keys)


class _Work:
    """The state of an import, which takes one image after the other."""

    def __init__(self, choices: Choices, ledger: Ledger, writer: Writer, names: Names, *, only: bool) -> None:
        self.choices, self.ledger, self.writer, self._names = choices, ledger, writer, names
        self.people = People(choices.subjects)
        self._rows: dict[str, list[Row]] = {}
        for row in read_rows(choices.table) if choices.table else []:
            self._rows.setdefault(row.image, []).append(row)
        self._used: set[str] = set()
        self._boxes = coco.read_coco(choices.coco) if choices.coco else None
        self._masks = Beside(choices.masks, "--masks", names, only=only) if choices.masks else None
        self._markups = Beside(choices.markups, "--markups", names, only=only) if choices.markups else None

    def take(self, image: Image, scan: Scan, part: Ledger) -> None:
        """Make the questions about one image and write its samples; *part* is a ledger of this image alone."""
        self._meet({*scan.aliases, *scan.members})
        rows = self._rows_of(scan)
        try:
            complete(scan, rows, self.choices, part)
            named = {row.texts["subject"] for row in rows if "subject" in row.texts}
            if len(named) > 1:
                raise DataError(
                    "the rows of --table for this image state different subjects; an image shows one person, so "
                    "correct the column subject"
                )
            subject = self.people.of(scan, part, next(iter(named), ""))
        except DataError as error:
            self.ledger.leave(scan.tag, scan.path, str(error))
            return
        count = 0
        for question in self._questions(image, scan, rows, part):
            try:
                self.writer.add(scan, question, subject)
                count += 1
            except DataError as error:
                self.ledger.leave(scan.tag, scan.path, f"{question.task}: {error}")
        if count:
            self.ledger.take_over(part)
        elif not any(tag == scan.tag for tag, _, _ in self.ledger.left):
            self.ledger.leave(
                scan.tag,
                scan.path,
                "no mask, markup, row of a table or COCO box belongs to this image; add one, or remove the image",
            )

    def pass_over(self, image: Image) -> None:
        """Note that the rows and boxes of an unreadable image belong to an image.

        Why it is left out is reported already.
        """
        self._meet({*self._names.of(image.names), *self._names.of_members(image.names)})

    def _meet(self, names: set[str]) -> None:
        self._used |= names
        if self._boxes:
            self._boxes.meet(names)

    def finish(self) -> None:
        """Report what belongs to no image: rows of the table, COCO boxes, and --labels that no mask contains."""
        for image in self._rows.keys() - self._used:
            lines = ", ".join(str(row.line) for row in self._rows[image][:5])
            self.ledger.leave(
                "table",
                self.choices.table or Path(),
                f"line {lines}: no image has the name in the column image, or several have it; write its path below "
                "the folder of images",
            )
        if self.choices.masks and self.ledger.structures:
            for number in sorted(self.choices.labels.keys() - self.ledger.structures):
                why = (
                    f"--labels {number}={self.choices.labels[number]}: no mask contains the number {number}; correct "
                    "the number, or leave it out"
                )
                self.ledger.leave("masks", self.choices.masks, why)
        if self._boxes:
            for count in self._boxes.unused():
                self.ledger.leave("boxes", self.choices.coco or Path(), count)

    def _rows_of(self, scan: Scan) -> list[Row]:
        rows: list[Row] = []
        for alias in scan.aliases:
            rows += self._rows.get(alias, [])
        for member, index in scan.members.items():
            rows += [replace(row, numbers={**row.numbers, "slice": float(index)}) for row in self._rows.get(member, [])]
        return rows

    def _questions(self, image: Image, scan: Scan, rows: list[Row], part: Ledger) -> Iterator[Question]:
        if self._masks:
            yield from self._masked(self._masks, image, scan, part)
        if self._markups:
            yield from self._marked(self._markups, image, scan, part)
        for row in rows:
            yield from self._measured(scan, row, part)
        if self._boxes:
            yield from self._boxes.of(scan, self.choices, part)

    def _masked(self, masks: Beside, image: Image, scan: Scan, part: Ledger) -> Iterator[Question]:
        at = scan.path
        try:
            at, read = self._mask_of(masks, image, scan, part)
            numbers = read()
            at = scan.path
            yield from from_masks(scan, numbers, self.choices, part)
        except DataError as error:
            self.ledger.leave(scan.tag, at, str(error))

    def _mask_of(
        self, masks: Beside, image: Image, scan: Scan, part: Ledger
    ) -> tuple[Path, Callable[[], NDArray[np.int64]]]:
        """Return the file or folder of an image's mask, and a function that reads its numbers at the image's voxels.

        Raises DataError if the image has no mask, or several.
        """
        folder = masks.folder_of(image.names) if scan.slices else None
        if folder and (slices := slice_files(folder, scan.slices)):
            return folder, partial(read_stack, slices, scan, part)
        files = masks.of(image.names, nifti.SUFFIXES if scan.grid is not None else pictures.SUFFIXES)
        if not files:
            raise DataError(f"--masks has no mask of this image; expected {_EXPECTED[scan.grid is not None]}")
        if len(files) > 1:
            raise DataError(
                f"{len(files)} files of --masks belong to this image; expected one, in which each structure has a "
                "number of its own"
            )
        if scan.grid is not None:
            return files[0], partial(nifti.read_mask, files[0], self.choices.affine, scan.grid)
        return files[0], partial(read_numbers, files[0], (scan.values.shape[0], scan.values.shape[1]))

    def _marked(self, markups: Beside, image: Image, scan: Scan, part: Ledger) -> Iterator[Question]:
        try:
            files = markups.of(image.names, MARKUPS)
        except DataError as error:
            self.ledger.leave(scan.tag, scan.path, str(error))
            return
        yield from from_markups(scan, files, self.choices, part)

    def _measured(self, scan: Scan, row: Row, part: Ledger) -> Iterator[Question]:
        try:
            cut = scan.cut(self.choices.plane)
            if not (at := row.numbers.get("slice", 0.0)).is_integer():
                raise DataError(f"slice: {at:g}; expected a whole number, from 0")
            index = int(at)
            if scan.grid is not None and "slice" not in row.numbers and scan.values.shape[cut.axis] > 1:
                raise DataError("slice: is empty; a row about a volume must give the index of the slice, from 0")
            if not 0 <= index < scan.values.shape[cut.axis]:
                raise DataError(f"slice: {index}; expected an index from 0 to {scan.values.shape[cut.axis] - 1}")
            found = of_row(row, scan, cut, self.choices)
        except DataError as error:
            self.ledger.leave(scan.tag, scan.path, f"--table, line {row.line}: {error}")
            return
        if found is not None:
            question, how = found
            part.note(f"target of {question.task}", how)
            if question.points:
                part.note("points of the table", f"(0, 0) is the {self.choices.points_at} of the first pixel")
            yield _signed(question, row)


def _signed(question: Question, row: Row) -> Question:
    return replace(question, annotator=row.texts.get("annotator", ""))
