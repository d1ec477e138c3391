"""The options that say which samples: shared by ``run`` and the ``data`` commands."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medvision_agent.cli.options import with_options
from medvision_agent.eval.tasks import TASKS

if TYPE_CHECKING:
    from medvision_agent.eval.data.medvision.source import Reading
    from medvision_agent.eval.data.selection import Selection

__all__ = ["data_option", "reading_options", "sample_options", "take_reading", "take_selection"]

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)

data_option = click.option(
    "--data",
    default="demo",
    show_default=True,
    metavar="demo|phantom|medvision:DIR|FILE",
    help="phantom[:N[:SEED]]: N made pictures. FILE: JSONL or Parquet.",
)
_READING = (
    click.option("--annotations", metavar="X.Y.Z", help="MedVision: annotation version, a ceiling; default: newest."),
    click.option("--no-filters", is_flag=True, help="MedVision: also what upstream leaves out (small, several)."),
    click.option("--subjects", type=_FILE, help="MedVision: CSV (dataset, case, subject) of who a case shows."),
)
_SELECTION = (
    click.option("--task", "tasks", metavar="NAME,NAME", help=f"Only these: {', '.join(TASKS)}."),
    click.option("--config", "configs", multiple=True, metavar="GLOB", help="MedVision: configurations; repeatable."),
    click.option("--tasks", "task_list", type=_FILE, help="MedVision: one of upstream's task lists (JSON)."),
    click.option("--split", type=click.Choice(("train", "test", "all")), help="MedVision; default: test."),
    click.option(
        "--plane",
        "planes",
        multiple=True,
        type=click.Choice(("axial", "coronal", "sagittal"), case_sensitive=False),
        help="Only this plane; repeatable.",
    ),
    click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Only this dataset; repeatable."),
    click.option(
        "--limit", type=click.IntRange(min=1), help="At most this many samples per task (MedVision: configuration)."
    ),
    click.option(
        "--limit-by",
        type=click.Choice(("first", "subject")),
        default="first",
        show_default=True,
        help="The first samples, or as many of each subject as it takes.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of --limit-by subject."),
)


def reading_options(command: _F) -> _F:
    """Add the options that say how MedVision's data is read."""
    return with_options(_READING, command)


def sample_options(command: _F) -> _F:
    """Add --data and every option that selects samples."""
    return data_option(with_options((*_SELECTION, *_READING), command))


def take_reading(options: dict[str, Any]) -> "Reading":
    """Take the reading's options out of *options*."""
    from medvision_agent.eval.data.medvision.source import Reading

    filters = not options.pop("no_filters")
    return Reading(annotations=options.pop("annotations"), filters=filters, subjects=options.pop("subjects"))


def take_selection(options: dict[str, Any]) -> "Selection":
    """Take the selection's options out of *options*."""
    from medvision_agent.eval.data.configs import read_task_list
    from medvision_agent.eval.data.selection import Selection, parse_tasks

    task_list = options.pop("task_list")
    listed = read_task_list(task_list) if task_list else ()
    return Selection(
        tasks=parse_tasks(options.pop("tasks")),
        configs=(*options.pop("configs"), *listed),
        **{name: options.pop(name) for name in ("split", "planes", "datasets", "limit", "limit_by", "seed")},
    )
