"""The options that select samples: shared by ``run``, ``rerun`` and the ``data`` commands."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medvision_agent.cli.options import with_options
from medvision_agent.eval.tasks import TASKS

if TYPE_CHECKING:
    from medvision_agent.eval.data.medvision.source import Reading
    from medvision_agent.eval.data.selection import Selection

__all__ = ["data_option", "reading_options", "reading_with", "sample_options", "selection_with"]

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_TASKS = f"Only these tasks: {', '.join(TASKS)}. Default: all; of MedVision's data, all but area."

data_option = click.option(
    "--data",
    default="demo",
    show_default=True,
    metavar="demo|phantom|medvision:DIR|FILE|NAME:ARGUMENT",
    help="Source of samples. demo: the built-in demo set. phantom[:N[:SEED]]: N synthetic images (200 if left out). "
    "medvision:DIR: MedVision's data folder. FILE: samples as JSON Lines (.jsonl) or .parquet. NAME[:ARGUMENT]: a "
    "source that an installed package offers (docs/data.md).",
)
_READING = (
    click.option(
        "--annotations",
        metavar="X.Y.Z",
        help="MedVision only: for each dataset, use its newest annotations up to this version. Default: its newest.",
    ),
    click.option(
        "--no-filters",
        is_flag=True,
        help="MedVision only: keep the samples that MedVision's own filters leave out: boxes with a side "
        "below 10 pixels, and structures of which a slice shows several.",
    ),
    click.option(
        "--subjects",
        type=_FILE,
        help="MedVision only: CSV file (columns dataset, case, subject) that says which cases show the same person. "
        "Default: each case is another person.",
    ),
)
_SELECTION = (
    click.option("--task", "tasks", metavar="NAME,NAME", help=_TASKS),
    click.option(
        "--config",
        "configs",
        multiple=True,
        metavar="GLOB",
        help="MedVision only: this configuration, with or without its split, or all that match a pattern such as "
        "'MSD_BoxSize_*'. Repeat the option for more.",
    ),
    click.option(
        "--tasks",
        "task_list",
        type=_FILE,
        help="MedVision only: the configurations in this JSON file, a task list of MedVision's package. Those of "
        "--config are added.",
    ),
    click.option(
        "--split",
        type=click.Choice(("train", "test", "all")),
        help="MedVision only: split to read. Default: that in which a name of --config or --tasks ends, else test.",
    ),
    click.option(
        "--plane",
        "planes",
        multiple=True,
        type=click.Choice(("axial", "coronal", "sagittal"), case_sensitive=False),
        help="Only slices of this plane. Repeat the option for more.",
    ),
    click.option(
        "--dataset",
        "datasets",
        multiple=True,
        metavar="NAME",
        help="Only samples of this dataset. Repeat the option for more.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        help="At most this many samples of each task (of MedVision's data: of each configuration). Default: all.",
    ),
    click.option(
        "--limit-by",
        type=click.Choice(("first", "subject")),
        default="first",
        show_default=True,
        help="How --limit chooses: the first samples, or samples drawn at random: one of each subject, then a second "
        "of each, and so on (subject).",
    ),
    click.option(
        "--seed",
        type=int,
        default=0,
        show_default=True,
        help="Random seed for --limit-by subject; in run and rerun, for --picture swapped too.",
    ),
)


def reading_options(command: _F) -> _F:
    """Return *command* with the options for reading MedVision's data."""
    return with_options(_READING, command)


def sample_options(command: _F) -> _F:
    """Return *command* with --data and every option that selects samples."""
    return data_option(with_options((*_SELECTION, *_READING), command))


def reading_with(base: "Reading", given: Mapping[str, Any]) -> "Reading":
    """Return *base*, the settings for reading MedVision's data, changed by the options in *given*."""
    changes = {name: given[name] for name in ("annotations", "subjects") if name in given}
    if "no_filters" in given:
        changes["filters"] = not given["no_filters"]
    return replace(base, **changes)


def selection_with(base: "Selection", given: Mapping[str, Any]) -> "Selection":
    """Return *base*, a selection of samples, changed by the options in *given*.

    Raises ConfigError for an unknown task, and for a task list that cannot be read.
    """
    from medvision_agent.eval.data.configs import read_task_list
    from medvision_agent.eval.data.selection import parse_tasks

    same = ("split", "planes", "datasets", "limit", "limit_by", "seed")
    changes = {name: given[name] for name in same if name in given}
    if "tasks" in given:
        changes["tasks"] = parse_tasks(given["tasks"])
    if "configs" in given or given.get("task_list"):
        listed = read_task_list(given["task_list"]) if given.get("task_list") else ()
        changes["configs"] = (*given.get("configs", ()), *listed)
    return replace(base, **changes)
