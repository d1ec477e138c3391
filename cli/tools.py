"""``medvision-agent tools``: see the tools as a model sees them, and try one on a picture.

``try`` prints what a model would be told; an ``Error: ...`` reply goes to standard error, with exit code 2.
"""

import json
from pathlib import Path
from typing import Any

import click

from medvision_agent.errors import ConfigError, DataError, StorageError, ToolError, nearest
from medvision_agent.eval.asking.intensity import percentiles
from medvision_agent.eval.asking.recipe import Recipe, recipe_named
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.picture import decode_picture
from medvision_agent.text import printable
from medvision_agent.tools.base import Tool
from medvision_agent.tools.registry import TOOLS, installed
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, frame_named
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Slice, as_displayed
from medvision_agent.tools.view.views import ViewSet

__all__ = ["command"]

_FAILED = "Error: "
"""How a tool's reply to a model begins where it could not do what was asked."""


_frame = click.option(
    "--frame", default=MEDVISION.name, show_default=True, help=f"Coordinate convention: {', '.join(FRAMES)}."
)


@click.group()
def command() -> None:
    """List, show and try the tools a model can call."""


@command.command("list")
def list_tools() -> None:
    """List the tools in the order in which a model is told of them."""
    width = max(map(len, TOOLS))
    for tool in TOOLS.values():
        click.echo(f"{tool.name:<{width}}  {MEDVISION.told(tool.description).splitlines()[0]}")


@command.command()
@click.argument("name")
@_frame
def show(name: str, frame: str) -> None:
    """Print the text and the declaration of a tool exactly as a model gets them."""
    schema = _tool(name).schema(frame_named(frame))
    click.echo(f"{schema['function']['description']}\n\n{json.dumps(schema, indent=2)}")


@command.command("try")
@click.argument("name")
@click.option("--image", required=True, help="demo:ID, FILE:ID (a sample), or a PNG file (with --spacing).")
@click.option("--spacing", help="Millimetres per pixel of a PNG file: HEIGHT,WIDTH (down, across).")
@click.option("--args", "text", default="{}", show_default=True, help="The tool's arguments as a JSON object.")
@click.option("--recipe", default="medvision-1.2", show_default=True, help="How values beyond 8 bits are shown.")
@_frame
@click.option("--out", type=click.Path(path_type=Path), help="Where to write the picture.  [default: NAME.png]")
@click.option("--force", is_flag=True, help="Replace what --out names.")
def try_tool(
    *, name: str, image: str, spacing: str | None, text: str, recipe: str, frame: str, out: Path | None, force: bool
) -> None:
    """Run one tool on one picture, perceived at its own size, and print its reply."""
    tool, arguments = _tool(name), _arguments(text)
    views = ViewSet(_slice(image, spacing, recipe_named(recipe)), Native(), frame_named(frame))
    reply = tool.call(views, arguments)
    if reply.text.startswith(_FAILED):
        raise ToolError(reply.text.removeprefix(_FAILED))
    path = out or Path(f"{tool.name}.png")
    if reply.picture is not None and path.exists() and not force:
        raise StorageError(f"--out {path}: exists already; choose another name, or replace it with --force")
    click.echo(printable(reply.text, lines=True))
    if reply.picture is not None:
        try:
            path.write_bytes(encode_png(reply.picture.pixels))
        except OSError as error:
            raise ConfigError(f"--out {path}: cannot write the picture ({error.strerror})") from None
        click.echo(f"{path}: {reply.picture.caption}", err=True)


def _tool(name: str) -> Tool:
    return installed().tool(name)


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--args is not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ConfigError('--args must be a JSON object such as {"view": "v0"}')
    return arguments


def _slice(image: str, spacing: str | None, recipe: Recipe) -> Slice:
    """Return the slice that ``--image`` names: a picture file, or a sample of a source."""
    name, colon, sample_id = image.partition(":")
    if not colon:
        return _picture(Path(image), spacing)
    if spacing is not None:
        raise ConfigError("--spacing is for a PNG file; a sample brings its own")
    source = open_source(name)
    samples = {sample.id: sample for sample in source.samples}
    if sample_id not in samples:
        raise DataError(f"--image {image}: {name} has no sample {sample_id!r}.{nearest(sample_id, samples)}")
    sample = samples[sample_id]
    return recipe.slice_of(source.load(sample), sample)


def _picture(path: Path, spacing: str | None) -> Slice:
    if spacing is None:
        raise ConfigError(f"--image {path}: a picture file needs --spacing HEIGHT,WIDTH; a sample is SOURCE:ID")
    try:
        height, width = map(float, spacing.split(","))
        size = Spacing(height, width)
    except ValueError:
        raise ConfigError(f"--spacing {spacing}: expected two numbers above 0, HEIGHT,WIDTH in mm") from None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"--image {path}: cannot read it ({error.strerror})") from None
    native = decode_picture(data, f"--image {path}")
    return Slice(native.values, size, as_displayed if native.displayed else percentiles(native.values))
