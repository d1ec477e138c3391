"""``medvision-agent tools``: show tools as a model sees them, try one on an image, and write and check your own.

``try`` prints the reply that a model would get; an ``Error: ...`` reply goes to standard error, with exit code 2.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from medvision_agent.cli.completing import complete_tools
from medvision_agent.cli.printed.table import print_columns, print_findings
from medvision_agent.errors import ConfigError, DataError, StorageError, ToolError, nearest
from medvision_agent.eval.asking.intensity import percentiles
from medvision_agent.eval.asking.recipe import Recipe, recipe_named
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.picture import decode_picture, read_picture
from medvision_agent.settings_text import read_json
from medvision_agent.text import printable
from medvision_agent.tools.base import Tool
from medvision_agent.tools.own.process import CheckBounds
from medvision_agent.tools.registry import SETS, Registry, registry_of
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, frame_named
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Slice, as_displayed
from medvision_agent.tools.view.views import ViewSet

__all__ = ["command"]

_FAILED = "Error: "
"""The start of a tool's reply to a model if the call failed."""


_frame = click.option(
    "--frame",
    default=MEDVISION.name,
    show_default=True,
    help=f"Coordinate convention of arguments and results: {', '.join(FRAMES)}.",
)

_segmenter = click.option(
    "--segmenter",
    metavar="URL",
    help="Address of the segmentation server that a tool NAME@server asks (docs/segmenters.md).",
)

_own = click.option(
    "--tools-from",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A Python file of your own tools (docs/tools.md).",
)


@click.group()
def command() -> None:
    """List, show, try and check the tools a model can call, or start your own tool."""


@command.command("list")
@_own
def list_tools(file: Path | None) -> None:
    """List the tools in the order in which a model gets them, with their set, file or package.

    Below are the sets, and about how many tokens their declarations add to every request: characters of their JSON
    text divided by four, an estimate.
    """
    registry = registry_of(file)
    print_columns(
        [
            (name, ", ".join(registry.sets_of(name)) or offer.origin, *_said(registry, name))
            for name, offer in registry.offers.items()
        ]
    )
    click.echo()
    chosen = {month: registry.choose(f"on@{month}").tools for month in SETS}
    print_columns([(f"on@{month}", f"{len(tools)} tools", _tokens(tools)) for month, tools in chosen.items()])


def _tokens(tools: Sequence[Tool]) -> str:
    """Return in words about how many tokens the declarations of *tools* add to a request."""
    from medvision_agent.eval.asking.estimate import declared_tokens

    return f"about {declared_tokens(tools)} tokens"


def _said(registry: Registry, name: str) -> tuple[str, str]:
    """Return the tokens of a tool's declaration, and the first line of its description, in words.

    If the tool cannot be loaded, no tokens, and the error in place of the description.
    """
    try:
        tool = registry.tool(name)
    except ConfigError as error:  # list the other tools even if one package fails
        return "", str(error)
    return _tokens([tool]), MEDVISION.told(tool.description).splitlines()[0]


@command.command()
@click.argument("name", shell_complete=complete_tools)
@_own
@_frame
@_segmenter
def show(name: str, file: Path | None, frame: str, segmenter: str | None) -> None:
    """Print the description and the declaration of a tool exactly as a model gets them."""
    schema = registry_of(file, segmenter=segmenter).tool(name).schema(frame_named(frame))
    click.echo(f"{schema['function']['description']}\n\n{json.dumps(schema, indent=2)}")


@command.command("try")
@click.argument("name")
@click.option("--image", required=True, help="demo:ID or FILE:ID (a sample by its id), or a PNG file (with --spacing).")
@click.option("--spacing", metavar="HEIGHT,WIDTH", help="Pixel size in mm of a PNG file: down, across.")
@click.option("--args", "text", default="{}", show_default=True, help="The tool's arguments as a JSON object.")
@click.option(
    "--recipe",
    default="medvision-1.2",
    show_default=True,
    help="How images of more than 8 bits are mapped to grey levels: medvision-1.2 or paper-v1.",
)
@_own
@_frame
@_segmenter
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="PNG file for the image, if the tool returns one.  [default: NAME.png]",
)
@click.option("--force", is_flag=True, help="Overwrite --out if it exists.")
def try_tool(
    *,
    name: str,
    image: str,
    spacing: str | None,
    text: str,
    recipe: str,
    file: Path | None,
    frame: str,
    segmenter: str | None,
    out: Path | None,
    force: bool,
) -> None:
    """Run one tool on one image, as for a model that sees it at its own size, and print the reply."""
    tool, arguments = _callable(registry_of(file, segmenter=segmenter), name), _arguments(text)
    views = ViewSet(_slice(image, spacing, recipe_named(recipe)), Native(), frame_named(frame))
    reply = tool.call(views, arguments)
    if reply.text.startswith(_FAILED):
        inside = f"; not shown to a model: {reply.failure}" if reply.failure else ""
        raise ToolError(f"{reply.text.removeprefix(_FAILED)}{inside}")
    path = out or Path(f"{tool.name}.png")
    if reply.picture is not None and path.exists() and not force:
        raise StorageError(f"--out {path}: the file exists already; choose another name, or overwrite it with --force")
    click.echo(printable(reply.text, lines=True))
    if reply.picture is not None:
        try:
            path.write_bytes(encode_png(reply.picture.pixels))
        except OSError as error:
            raise ConfigError(f"--out {path}: the image cannot be written ({error.strerror})") from None
        click.echo(f"{path}: {reply.picture.caption}", err=True)


@command.command()
@click.argument("name", shell_complete=complete_tools)
@_own
@click.option(
    "--calls",
    type=click.IntRange(100),
    default=CheckBounds().calls,
    show_default=True,
    help="Number of generated calls.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=CheckBounds().seconds,
    show_default=True,
    help="Maximum time of one call in seconds.",
)
@click.option(
    "--memory",
    type=click.IntRange(1),
    default=CheckBounds().memory_mb,
    show_default=True,
    help="Maximum memory in MB that all calls together may take, beyond that of the loaded tool.",
)
@_segmenter
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    name: str,
    file: Path | None,
    calls: int,
    seconds: float,
    memory: int,
    segmenter: str | None,
    as_json: bool,
) -> None:
    """Check that every provider accepts a tool, that no arguments break it, and that its declaration is true.

    Exit code 0: all checks pass; 1: a check fails; 2: there is no such tool, or it cannot be loaded.
    """
    from medvision_agent.tools.own.process import check as check_tool

    _callable(registry_of(file, segmenter=segmenter), name)
    findings = check_tool(name, file, CheckBounds(calls, seconds, memory), segmenter=segmenter)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        print_findings(findings)
    context.exit(int(any(finding.verdict == "no" for finding in findings)))


@command.command()
@click.argument("name")
def new(name: str) -> None:
    """Write NAME.py into the current folder: a working, tested tool with comments on what to change."""
    from medvision_agent.tools.own.skeleton import write_skeleton

    path = write_skeleton(name, Path())
    click.echo(f"wrote {path}\ncheck it with: medvision-agent tools check {name} --tools-from {path}")


def _callable(registry: Registry, name: str) -> Tool:
    """Return the tool *name*; raises ConfigError if it is unknown, or its variant needs a sample's ground truth."""
    tool = registry.tool(name)
    if tool.variant is not None and tool.variant.of is not None:
        raise ConfigError(
            f"{tool.label}: this variant needs the ground truth of a sample, and only a run has samples; try or check "
            f"{tool.name} without the variant"
        )
    return tool


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments from the text of a JSON object; raises ConfigError for any other text."""
    try:
        arguments = read_json(text)
    except ValueError as error:
        raise ConfigError(f"--args: {error}") from None
    if not isinstance(arguments, dict):
        raise ConfigError('--args: expected a JSON object of arguments, such as {"view": "v0"}')
    return arguments


def _slice(image: str, spacing: str | None, recipe: Recipe) -> Slice:
    """Return the slice that ``--image`` names: an image file with its *spacing*, or a sample SOURCE:ID.

    Raises ConfigError for a missing or unneeded *spacing*, DataError if there is no such image.
    """
    name, colon, sample_id = image.partition(":")
    if not colon:
        return _picture(Path(image), spacing)
    if spacing is not None:
        raise ConfigError(
            f"--image {image} is a sample, which has its own pixel size; leave --spacing out (it is for image files "
            "only)"
        )
    source = open_source(name)
    samples = {sample.id: sample for sample in source.samples}
    if sample_id not in samples:
        raise DataError(f"--image {image}: {name} has no sample {sample_id!r}.{nearest(sample_id, samples)}")
    sample = samples[sample_id]
    return recipe.slice_of(source.load(sample), sample)


def _picture(path: Path, spacing: str | None) -> Slice:
    """Return the slice of an image file whose pixel size in mm is given as HEIGHT,WIDTH.

    Raises ConfigError for a missing or wrong *spacing*, DataError if the file cannot be read.
    """
    if spacing is None:
        raise ConfigError(
            f"--image {path}: for an image file, give its pixel size in mm by --spacing HEIGHT,WIDTH; to name a sample "
            "instead, write SOURCE:ID, such as demo:ID"
        )
    try:
        height, width = map(float, spacing.split(","))
        size = Spacing(height, width)
    except ValueError:
        raise ConfigError(f"--spacing {spacing}: expected two numbers above 0, HEIGHT,WIDTH in mm") from None
    try:
        data = read_picture(path)
    except OSError as error:
        raise DataError(f"--image {path}: this file cannot be read ({error.strerror})") from None
    native = decode_picture(data, f"--image {path}")
    mapping = as_displayed if native.displayed else percentiles(native.values)
    return Slice(native.values, size, mapping, native.units)
