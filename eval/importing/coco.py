"""Boxes of a COCO file. COCO states no pixel size: it comes from the images, a table or ``--spacing``.

A COCO box is ``[x, y, width, height]`` in pixels from the outer corner of the first pixel, y down: true pixel edges.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Question, Scan
from medvision_agent.eval.importing.grid import Cut
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.targets import box_target
from medvision_agent.tools.view.geometry import Size

__all__ = ["Boxes", "read_coco"]

MAX_BYTES = 512 << 20
_SLACK = 1e-6
_LONGEST = 200
"""Longest name of a structure, in characters."""
_EXPECTED = (
    "expected a COCO file with the lists images (id, file_name, width, height), annotations (image_id, category_id, "
    "bbox) and categories (id, name)"
)


class Boxes:
    """The boxes of a COCO file, by the names of their images."""

    def __init__(self, images: dict[str, list[dict[str, Any]]], sizes: dict[str, tuple[int, int]]) -> None:
        self._images, self._sizes = images, sizes
        self._used: set[str] = set()

    def of(self, scan: Scan, choices: Choices, ledger: Ledger) -> Iterator[Question]:
        """Yield a detection question for each structure with one box on the image *scan*.

        Structures with several boxes, and boxes that do not fit the image, are noted in *ledger* as left out.
        """
        name = next((alias for alias in scan.aliases if alias in self._images), "")
        if not name:
            return
        if scan.grid is not None and scan.values.shape[scan.cut(choices.plane).axis] > 1:
            ledger.leave(
                scan.tag,
                scan.path,
                "the image is a volume, and a COCO box names no slice; give the boxes with --table, which has a "
                "column slice",
            )
            return
        cut = scan.cut(choices.plane)
        first, second = sorted((cut.down, cut.across))
        sides = (first, second) if scan.grid is None else (second, first)
        stored = tuple(scan.values.shape[side] for side in sides)
        if self._sizes[name] != stored:
            (height, width), (rows, columns) = self._sizes[name], stored
            ledger.leave(
                scan.tag,
                scan.path,
                f"the COCO file states {width} x {height} px for this image, but it has {columns} x {rows} px; give "
                "the image on which the boxes were drawn, or correct width and height in the COCO file",
            )
            return
        counts = Counter(box["label"] for box in self._images[name])
        for box in self._images[name]:
            label = str(box["label"])
            try:
                if counts[label] > 1:
                    raise DataError(
                        f"the image has {counts[label]} boxes of this category, so a question about it has no single "
                        "answer; leave one box, or give each structure a category of its own"
                    )
                if choices.labels and label not in choices.labels.values():
                    continue
                yield _question(box, label, scan, cut, choices)
                ledger.note("target of detection", f"COCO box ({choices.convention})")
            except DataError as error:
                ledger.leave(scan.tag, scan.path, f"COCO, {label}: {error}")

    def meet(self, names: Iterable[str]) -> None:
        """Note that an image with these names was found, even if it is left out later."""
        self._used.update(names)

    def unused(self) -> list[str]:
        """Return a list with one message: how many images of the file were not found; empty if all were found."""
        count = len(self._images.keys() - self._used)
        said = (
            f"{count} of the images that this COCO file names were not found; file_name must be the name of an image, "
            "or its path below the folder of images"
        )
        return [said] if count else []


def _question(box: dict[str, Any], label: str, scan: Scan, cut: Cut, choices: Choices) -> Question:
    if box["crowd"]:
        raise DataError("iscrowd is 1, so the box is around several structures; expected a box around one structure")
    x, y, width, height = box["bbox"]
    size = Size(*cut.picture(scan.values, 0).shape)
    if not (width > 0 and height > 0):
        raise DataError(f"bbox: width {width:g} and height {height:g}; expected numbers above 0")
    ends = scan.place(cut, 0, x, y), scan.place(cut, 0, x + width, y + height)
    (x0, x1), (y0, y1) = sorted(end.x for end in ends), sorted(end.y for end in ends)
    if x0 < -_SLACK or y0 < -_SLACK or x1 > size.width + _SLACK or y1 > size.height + _SLACK:
        raise DataError(
            f"bbox: x {x:g}, y {y:g}, width {width:g}, height {height:g} extends beyond the image of {size.width} x "
            f"{size.height} px; expected pixels within it"
        )
    edges = max(x0, 0.0), max(y0, 0.0), min(x1, float(size.width)), min(y1, float(size.height))
    target, points = box_target(edges, size, choices.convention)
    return Question(task="detection", index=0, label=label, target=target, points=points)


def read_coco(path: Path) -> Boxes:
    """Return the boxes of a COCO file; raises DataError naming the file and the key that is wrong."""
    place = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES >> 20} MB; split the file, and import a part at a time")
        whole = json.loads(path.read_text(encoding="utf-8"))
        names = {one["id"]: str(one["name"]) for one in whole["categories"]}
        files = {one["id"]: str(one["file_name"]) for one in whole["images"]}
        sizes = {str(one["file_name"]): (int(one["height"]), int(one["width"])) for one in whole["images"]}
        images: dict[str, list[dict[str, Any]]] = {name: [] for name in files.values()}
        for at, one in enumerate(whole["annotations"]):
            place = f"{path}: annotations[{at}]"
            if one["image_id"] not in files:
                raise DataError(f"{place}: image_id: {one['image_id']!r} is not an id among the images")
            images[files[one["image_id"]]].append(_box(one, names, place))
    except OSError as error:
        raise DataError(f"{path}: cannot read the file ({error.strerror})") from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON, or a value has the wrong type ({error}); {_EXPECTED}") from None
    except KeyError as error:
        raise DataError(f"{place}: the key {error} is missing; {_EXPECTED}") from None
    except (TypeError, AttributeError) as error:
        raise DataError(f"{path}: not in COCO format ({error}); {_EXPECTED}") from None
    return Boxes(images, sizes)


def _box(one: dict[str, Any], names: dict[Any, str], place: str) -> dict[str, Any]:
    numbers = [float(number) for number in one["bbox"]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise DataError(f"{place}: bbox: expected four finite numbers: x, y, width, height")
    if not names.get(one["category_id"], "x").isprintable() or len(names.get(one["category_id"], "x")) > _LONGEST:
        raise DataError(
            f"{place}: category_id: the name of this category must be printable and have at most {_LONGEST} characters"
        )
    if one["category_id"] not in names:
        raise DataError(f"{place}: category_id: {one['category_id']!r} is not an id among the categories")
    return {"bbox": numbers, "label": names[one["category_id"]], "crowd": bool(one.get("iscrowd", 0))}
