"""``medvision-agent data import``: make samples from a user's own images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.errors import ConfigError
from medvision_agent.text import plural, printable

if TYPE_CHECKING:
    from medvision_agent.eval.importing.choices import Choices, Measure
    from medvision_agent.eval.importing.importer import Imported
    from medvision_agent.tools.view.geometry import Spacing

__all__ = ["command"]

_PATH = click.Path(path_type=Path, exists=True)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_SHOWN = 20
"""Maximum number of left-out images that are named on the terminal; summary.md names all."""

_MORE = "Repeat the option for more."
_MASKS = (
    "A mask, or a folder of masks. A mask has its image's path, or a name that begins with its image's (of a DICOM "
    "series: its folder's)."
)
_LABELS = "Names of the structures in masks, by number; other numbers are left out. Default: all, named structure N."
_SLICES = (
    "Slices made from a mask: the one with most pixels of the structure (largest), all that show it, or the one with "
    "this index, from 0."
)
_PLANE = (
    "Plane in which volumes are sliced (default: that of the scan), or the plane that 2D images show, if the table "
    "does not say."
)
_ANGLE = f"Angle at B between the directions to A and C, or between the lines A-B and C-D: at most 90 degrees. {_MORE}"
_AXES = f"Size of a structure by markup points: A and B are the ends of one axis, C and D of the other. {_MORE}"
_SPACING = (
    "Pixel size in mm of images that do not state it: of PNG, JPEG and TIFF, and of DICOM without a size in the "
    "patient."
)
_SUBJECTS = (
    "CSV file (columns image, subject) that says which images show the same person; it must name every image. Default: "
    "the table's subject, else PatientID of DICOM, else each file is another person."
)
_MODALITY = "Modality of all images, instead of what files and the table state."
_UNITS = "HU: the values of NIfTI and 16-bit images are Hounsfield units. Default: unknown; DICOM states it."
_DESCRIPTION = "Description of all images for the prompt, instead of that in the table."
_KEY = "New CSV file that says which file each image-N of the samples is; keep it private. Default: not written."


@click.command(name="import")
@click.argument("images", metavar="IMAGES", type=_PATH)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="New folder for the samples, their images and a summary.",
)
@click.option("--masks", type=_PATH, help=_MASKS)
@click.option(
    "--markups",
    type=_PATH,
    help="A file of markups of 3D Slicer (.mrk.json, .fcsv), or a folder of them, named as masks are. All lines "
    "and angles in them are used, or what --distance, --angle and --axes make of the points.",
)
@click.option(
    "--table", type=_FILE, help="CSV file with a row for each measure, and facts of its image (docs/import.md)."
)
@click.option("--coco", type=_FILE, help="COCO file (JSON) with boxes.")
@click.option("--labels", metavar="N=NAME,...", help=_LABELS)
@click.option(
    "--task",
    "tasks",
    metavar="NAME,...",
    help="Tasks made from masks: detection, size, area.  [default: detection,size]",
)
@click.option("--slices", default="largest", show_default=True, metavar="largest|all|INDEX", help=_SLICES)
@click.option("--plane", metavar="NAME", help=_PLANE)
@click.option(
    "--pieces",
    type=click.Choice(("one", "largest")),
    default="one",
    show_default=True,
    help="If a structure of a mask has several pieces on its slice: leave it out (one), or use its largest piece. An "
    "area is always that of all pieces.",
)
@click.option(
    "--convention",
    type=click.Choice(("edge", "inclusive-index")),
    default="edge",
    show_default=True,
    help="How boxes are written: at the true edges of pixels (edge), or as MedVision's are, from the index of the "
    "first pixel to that of the last, which is one pixel short (inclusive-index).",
)
@click.option(
    "--points-at",
    type=click.Choice(("corner", "centre")),
    default="corner",
    show_default=True,
    help="Where point (0, 0) of a table lies: the outer corner of the first pixel, or its centre. With centre, a box "
    "of a table names its first and its last pixel, both inside.",
)
@click.option(
    "--distance",
    "distances",
    multiple=True,
    metavar="NAME=A,B",
    help=f"Distance between two markup points, by their names. {_MORE}",
)
@click.option("--angle", "angles", multiple=True, metavar="NAME=A,B,C[,D]", help=_ANGLE)
@click.option("--axes", "sizes", multiple=True, metavar="LABEL=A,B,C,D", help=_AXES)
@click.option("--spacing", metavar="HEIGHT,WIDTH", help=_SPACING)
@click.option(
    "--affine",
    type=click.Choice(("sform", "qform", "pixdim")),
    help="NIfTI: the header field that gives position and spacing; needed if the fields disagree or are missing.",
)
@click.option(
    "--accept-detector-spacing",
    is_flag=True,
    help="DICOM: accept radiographs that state only the spacing at the detector. Every length is then too long by the "
    "magnification.",
)
@click.option(
    "--redact",
    multiple=True,
    metavar="X0,Y0,X1,Y1",
    help="Blacken this rectangle in every image and slice: stored pixels from X0,Y0, without column X1 and row Y1. "
    "Repeat the option for more.",
)
@click.option(
    "--accept-burned-in",
    is_flag=True,
    help="DICOM: accept images whose header says that text is burned into the pixels (BurnedInAnnotation).",
)
@click.option("--dataset", metavar="NAME", help="Name of the data set.  [default: imported]")
@click.option("--subjects", type=_FILE, help=_SUBJECTS)
@click.option("--modality", metavar="NAME", help=_MODALITY)
@click.option("--units", type=click.Choice(("HU",)), help=_UNITS)
@click.option("--description", metavar="TEXT", help=_DESCRIPTION)
@click.option("--annotator", metavar="TEXT", help="Who made the ground truth, if the table does not say.")
@click.option("--licence", metavar="TEXT", help="Licence of the images.")
@click.option("--key", type=click.Path(path_type=Path), help=_KEY)
@click.option("--force", is_flag=True, help="Replace an earlier import in --out, and an earlier file of --key.")
@click.pass_context
def command(context: click.Context, /, images: Path, out: Path, key: Path | None, force: bool, **options: Any) -> None:
    """Make samples from your own images: DICOM, NIfTI, or PNG, JPEG and TIFF (docs/import.md).

    IMAGES is a file or a folder. The ground truth comes from masks, markups, a table or a COCO file. Exit code 0:
    everything was imported; 1: something was left out, and is named; 2: nothing was written.
    """
    from medvision_agent.eval.importing.importer import import_images
    from medvision_agent.eval.importing.key import check_key, write_key

    choices = _choices(images, **options)
    if key is not None:
        check_key(key, out, force=force)
    imported = import_images(choices, out, force=force)
    if key is not None:
        write_key(key, imported.keys)
    _print(imported, choices)
    context.exit(int(bool(imported.ledger.left)))


def _choices(
    images: Path,
    *,
    labels: str | None,
    tasks: str | None,
    slices: str,
    spacing: str | None,
    plane: str | None,
    distances: tuple[str, ...],
    angles: tuple[str, ...],
    sizes: tuple[str, ...],
    redact: tuple[str, ...],
    **others: Any,
) -> "Choices":
    """Return the choices of an import from the values of the options; raises ConfigError that names the option."""
    from medvision_agent.eval.importing.choices import Choices

    given = {name: value for name, value in others.items() if value is not None}
    measures = (
        *(_measure("distance", one, (2,)) for one in distances),
        *(_measure("angle", one, (3, 4)) for one in angles),
        *(_measure("size", one, (4,)) for one in sizes),
    )
    return Choices(
        images=images,
        labels=_labels(labels),
        slices=_slices(slices),
        spacing=_spacing(spacing),
        plane=_plane(plane, images),
        measures=measures,
        redact=tuple(map(_rectangle, redact)),
        **given | ({"tasks": _tasks(tasks)} if tasks else {}),
    )


def _tasks(text: str) -> tuple[str, ...]:
    """Return the tasks of --task; raises ConfigError for one that is not made from masks."""
    from medvision_agent.eval.importing.targets import FROM_MASK

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in FROM_MASK:
            raise ConfigError(
                f"--task {name}: tasks made from masks are {', '.join(FROM_MASK)}; for other tasks, give --markups or "
                "--table"
            )
    return names


def _labels(text: str | None) -> dict[int, str]:
    """Return the names of --labels by the number in masks; raises ConfigError for a wrong form or a repetition."""
    found: dict[int, str] = {}
    for part in (text or "").split(",") if text else ():
        number, _, name = part.partition("=")
        if not number.strip().isdecimal() or not name.strip() or int(number) == 0:
            raise ConfigError(f"--labels {part.strip()!r}: expected NUMBER=NAME with a number from 1, such as 1=liver")
        if int(number) in found or name.strip() in found.values():
            raise ConfigError(
                f"--labels {part.strip()!r}: this number or this name is given twice; give each structure its own "
                "number and its own name"
            )
        found[int(number)] = name.strip()
    return found


def _slices(text: str) -> Any:
    """Return the value of --slices: largest, all, or the index of a slice from 0; raises ConfigError for any other."""
    if text in {"largest", "all"}:
        return text
    if not text.isdecimal():
        raise ConfigError(f"--slices {text}: expected largest, all or the index of a slice, from 0")
    return int(text)


def _spacing(text: str | None) -> "Spacing | None":
    """Return the pixel size of --spacing, given as HEIGHT,WIDTH in mm; None without it, ConfigError if invalid."""
    from medvision_agent.tools.view.geometry import Spacing

    if text is None:
        return None
    try:
        sides = [float(side) for side in text.split(",")]
        return Spacing(*(sides * 2 if len(sides) == 1 else sides))
    except (ValueError, TypeError):
        raise ConfigError(
            f"--spacing {text}: expected HEIGHT,WIDTH of a pixel in mm, two numbers above 0 (or one if they are equal)"
        ) from None


def _rectangle(text: str) -> tuple[int, int, int, int]:
    """Return the pixels x0, y0, x1, y1 of --redact; raises ConfigError for any other form."""
    numbers = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(numbers) != 4 or not (numbers[0] < numbers[2] and numbers[1] < numbers[3]) or text.count(",") != 3:
        raise ConfigError(
            f"--redact {text}: expected X0,Y0,X1,Y1, four whole numbers of pixels from the top left corner, with X0 "
            "below X1 and Y0 below Y1"
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _plane(plane: str | None, images: Path) -> str:
    """Return the value of --plane, or an empty text; raises ConfigError if volumes cannot be sliced in it."""
    from medvision_agent.eval.importing.grid import PLANES
    from medvision_agent.eval.importing.inputs import has_volumes

    if plane and plane not in PLANES and has_volumes(images):
        raise ConfigError(f"--plane {plane}: for volumes, expected one of {', '.join(PLANES)}")
    return plane or ""


def _measure(task: Any, text: str, counts: tuple[int, ...]) -> "Measure":
    """Return the measure that NAME=POINT,POINT,... asks for; *counts* are the allowed numbers of points.

    Raises ConfigError that names the option of the task.
    """
    from medvision_agent.eval.importing.choices import Measure

    name, _, rest = text.partition("=")
    parts = tuple(part.strip() for part in rest.split(",") if part.strip())
    if not name.strip() or len(parts) not in counts:
        wanted = " or ".join(map(str, counts))
        option = {"distance": "--distance", "angle": "--angle", "size": "--axes"}[task]
        raise ConfigError(f"{option} {text!r}: expected NAME=POINT,POINT,... with {wanted} names of markup points")
    return Measure(task, name.strip(), parts)


def _print(imported: "Imported", choices: "Choices") -> None:
    """Print what was imported, what was left out and why, open questions, and how to use the samples."""
    from medvision_agent.cli.printed.table import print_wrapped
    from medvision_agent.eval.importing.summary import questions

    for what, origins in sorted(imported.ledger.facts().items()):
        for origin, count in origins.items():
            print_wrapped(f"{what}: {origin} ({count})", hanging=2)
    for _, path, reason in imported.ledger.left[:_SHOWN]:
        print_wrapped(printable(f"left out: {path}: {reason}"), hanging=2)
    if len(imported.ledger.left) > _SHOWN:
        print_wrapped(f"left out: {len(imported.ledger.left) - _SHOWN} more, in {imported.out / 'summary.md'}")
    for question in questions(imported.ledger, choices):
        print_wrapped(f"question: {question}", hanging=2)
    counts = ", ".join(f"{count} {task}" for task, count in imported.tasks.items())
    found = f"{plural(imported.samples, 'sample')} of {plural(imported.subjects, 'subject')}"
    print_wrapped(f"{found} in {imported.out}: {counts}.")
    print_wrapped(f"Look at every image of {imported.out / 'sheet-1.png'}: the ground truth is drawn on it.")
    print_wrapped(f"Use them with: --data {imported.out / 'samples.jsonl'}")
