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


@click.command(name="import")
@click.argument("images", metavar="IMAGES", type=_PATH)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder for the imported samples.")
@click.option("--masks", type=_PATH, help="A mask, or a folder of masks named like their images.")
@click.option("--markups", type=_PATH, help="Markups of 3D Slicer (.mrk.json, .fcsv), or a folder of them.")
@click.option("--table", type=_FILE, help="CSV file with spacing, subjects and measures, one row for each measure.")
@click.option("--coco", type=_FILE, help="COCO file with boxes.")
@click.option("--labels", metavar="N=NAME,...", help="Names of the numbers in masks; other numbers are ignored.")
@click.option("--task", "tasks", metavar="NAME,...", help="Tasks asked about masks.  [default: detection,size]")
@click.option("--slices", default="largest", show_default=True, metavar="largest|all|INDEX", help="Slices asked about.")
@click.option("--plane", metavar="NAME", help="Plane to slice volumes in, or the plane that 2D images show.")
@click.option(
    "--pieces",
    type=click.Choice(("one", "largest")),
    default="one",
    show_default=True,
    help="one: leave out a structure in several pieces on its slice. largest: ask about its largest piece.",
)
@click.option(
    "--convention",
    type=click.Choice(("edge", "inclusive-index")),
    default="edge",
    show_default=True,
    help="edge: boxes at true pixel edges. inclusive-index: MedVision's, one pixel short.",
)
@click.option(
    "--points-at",
    type=click.Choice(("corner", "centre")),
    default="corner",
    show_default=True,
    help="Where point (0, 0) of a table lies: the outer corner of the first pixel, or its centre.",
)
@click.option("--distance", "distances", multiple=True, metavar="NAME=A,B", help="Distance of two markup points.")
@click.option("--angle", "angles", multiple=True, metavar="NAME=A,B,C[,D]", help="Angle of markup points; 3: vertex B.")
@click.option("--axes", "sizes", multiple=True, metavar="LABEL=A,B,C,D", help="Ends of two axes of a structure.")
@click.option("--spacing", metavar="HEIGHT,WIDTH", help="Pixel size in mm of images whose files do not state it.")
@click.option(
    "--affine",
    type=click.Choice(("sform", "qform", "pixdim")),
    help="NIfTI: which header field gives the spacing if the fields disagree.",
)
@click.option(
    "--accept-detector-spacing",
    is_flag=True,
    help="DICOM: use a spacing at the detector, which is not corrected for magnification.",
)
@click.option(
    "--redact",
    multiple=True,
    metavar="X0,Y0,X1,Y1",
    help="Blacken this rectangle of stored pixels in every plane. Repeat the option for more.",
)
@click.option("--accept-burned-in", is_flag=True, help="DICOM: accept images with patient data burned into the pixels.")
@click.option("--dataset", metavar="NAME", help="Name of the data set.")
@click.option("--subjects", type=_FILE, help="CSV file (image, subject): which images show one person.")
@click.option("--modality", metavar="NAME", help="Modality of images whose files do not state it.")
@click.option("--units", type=click.Choice(("HU",)), help="Unit of the values of images whose files do not state it.")
@click.option("--description", metavar="TEXT", help="Description of the images for the prompt.")
@click.option("--annotator", metavar="TEXT", help="Who made the ground truth.")
@click.option("--licence", metavar="TEXT", help="Licence of the images.")
@click.option("--key", type=click.Path(path_type=Path), help="CSV file of image numbers and files; keep it private.")
@click.option("--force", is_flag=True, help="Replace an earlier import.")
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
    from medvision_agent.eval.importing.targets import FROM_MASK

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in FROM_MASK:
            raise ConfigError(f"--task {name}: masks give {', '.join(FROM_MASK)}; use markups or a table for others")
    return names


def _labels(text: str | None) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in (text or "").split(",") if text else ():
        number, _, name = part.partition("=")
        if not number.strip().isdecimal() or not name.strip() or int(number) == 0:
            raise ConfigError(f"--labels {part.strip()!r}: expected NUMBER=NAME with a number from 1, such as 1=liver")
        if int(number) in found or name.strip() in found.values():
            raise ConfigError(
                f"--labels {part.strip()!r}: the number or the name is there twice; a question about a name that two "
                "structures share has no single answer"
            )
        found[int(number)] = name.strip()
    return found


def _slices(text: str) -> Any:
    if text in {"largest", "all"}:
        return text
    if not text.isdecimal():
        raise ConfigError(f"--slices {text}: expected largest, all or the index of a slice, from 0")
    return int(text)


def _spacing(text: str | None) -> "Spacing | None":
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
    numbers = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(numbers) != 4 or not (numbers[0] < numbers[2] and numbers[1] < numbers[3]) or text.count(",") != 3:
        raise ConfigError(f"--redact {text}: expected X0,Y0,X1,Y1, whole numbers of pixels from the top left corner")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _plane(plane: str | None, images: Path) -> str:
    from medvision_agent.eval.importing.grid import PLANES
    from medvision_agent.eval.importing.inputs import has_volumes

    if plane and plane not in PLANES and has_volumes(images):
        raise ConfigError(f"--plane {plane}: volumes are cut into {', '.join(PLANES)} slices")
    return plane or ""


def _measure(task: Any, text: str, counts: tuple[int, ...]) -> "Measure":
    from medvision_agent.eval.importing.choices import Measure

    name, _, rest = text.partition("=")
    parts = tuple(part.strip() for part in rest.split(",") if part.strip())
    if not name.strip() or len(parts) not in counts:
        wanted = " or ".join(map(str, counts))
        raise ConfigError(f"{text!r}: expected NAME=POINT,POINT,... with {wanted} names of points for a {task}")
    return Measure(task, name.strip(), parts)


def _print(imported: "Imported", choices: "Choices") -> None:
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
