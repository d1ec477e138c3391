"""Options that commands share, with their help taken from the docstrings of settings."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from pydantic import BaseModel, ValidationError

from medvision_agent.agent.limits import Limits
from medvision_agent.cli.completing import complete_protocols, complete_runs
from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS
from medvision_agent.eval.settings.budget import Budget

__all__ = ["BUDGET", "LIMITS", "bounded", "budget_options", "declared_protocol_option", "given", "help_of"]
__all__ += ["limit_options", "plans_option", "protocol_option", "reader_options", "results_argument", "with_options"]

protocol_option = click.option(
    "--protocol",
    "protocol_name",
    default=DEFAULT_PROTOCOL,
    show_default=True,
    shell_complete=complete_protocols,
    help=f"Scoring rules: {' or '.join(PROTOCOLS)}.",
)
"""Scoring rules, for commands without a study."""
DECLARED_PROTOCOL = (
    f"Scoring rules: {' or '.join(PROTOCOLS)}. Default: the rules that the study declared; for single runs, "
    f"{DEFAULT_PROTOCOL}"
)
"""Help of the scoring rules where a study may declare its own, without the full stop."""
declared_protocol_option = click.option(
    "--protocol",
    "protocol_name",
    shell_complete=complete_protocols,
    help=f"{DECLARED_PROTOCOL}.",
)
"""Scoring rules, for commands where a study may declare its own."""

results_argument = click.argument(
    "results",
    nargs=-1,
    required=True,
    metavar="RESULTS...",
    shell_complete=complete_runs,
    type=click.Path(path_type=Path),
)
"""Folders of runs, and MedVision's result files."""
plans_option = click.option(
    "--plans",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.json",
    help="For MedVision's result files: where to look up what they lack. DIR is MedVision's data folder (names of "
    "labels and modalities, pixel sizes, points of the ground truth, cases); FILE.json is a file of tasks, which has "
    "the names only.",
)
"""Source of facts that result files lack."""


_F = TypeVar("_F", bound=Callable[..., Any])


def with_options(options: Iterable[Callable[[_F], _F]], command: _F) -> _F:
    """Return *command* with *options* added; its help shows them in this order."""
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def help_of(model: type[BaseModel], field: str) -> str:
    """Return the description of the field *field* of *model* as help text of its option; may be empty."""
    return " ".join((model.model_fields[field].description or "").replace("`", "").split())


def given(context: click.Context) -> dict[str, Any]:
    """Return the options that were given on the command line, with their values; defaults are left out."""
    return {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


_M = TypeVar("_M", bound=BaseModel)
_COUNT = click.IntRange(min=1)
_AMOUNT = click.FloatRange(0, min_open=True)

LIMITS = {
    "max_model_calls": "model_calls",
    "max_tool_calls": "tool_calls",
    "sample_seconds": "seconds",
    "sample_tokens": "tokens",
}
"""Option to field of ``Limits``."""
BUDGET = {"max_cost": "usd", "max_tokens": "tokens", "max_seconds": "seconds"}
"""Option to field of ``Budget``."""
_TYPES: Mapping[str, "click.ParamType[Any]"] = {
    "max_model_calls": click.IntRange(2, 1000),
    "max_tool_calls": click.IntRange(1, 10_000),
    "sample_seconds": _AMOUNT,
    "sample_tokens": _COUNT,
    "max_cost": _AMOUNT,
    "max_tokens": _COUNT,
    "max_seconds": _AMOUNT,
}


def _options(names: Mapping[str, str], model: type[BaseModel]) -> tuple[Callable[[Any], Any], ...]:
    """Return an option for each field of *model* in *names*, which has the fields by the option's name."""
    return tuple(
        click.option(
            f"--{option.replace('_', '-')}",
            type=_TYPES[option],
            default=model.model_fields[field].default,
            show_default=model.model_fields[field].default is not None,
            metavar="USD" if field == "usd" else None,
            help=help_of(model, field),
        )
        for option, field in names.items()
    )


def limit_options(command: _F) -> _F:
    """Return *command* with the options for limits of a run and of its samples."""
    return with_options((*_options(LIMITS, Limits), *_options(BUDGET, Budget)), command)


def budget_options(command: _F) -> _F:
    """Return *command* with the options for limits of a study."""
    return with_options(_options(BUDGET, Budget), command)


class Renamed(click.Option):
    """An option with several names, of which the help shows only the first: the others are its earlier names."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's first name and its help text; None for a hidden option."""
        every, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = every


_READER = (
    click.option(
        "--reader",
        metavar="MODEL",
        help="Let this language model of the catalogue read the responses too, and show both readings: its own and "
        "that of the scoring rules (docs/reading.md).",
    ),
    click.option(
        "--models-file",
        "--reader-models",
        "models_file",
        cls=Renamed,
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="A YAML file of your own models; --reader may name one of them.",
    ),
    click.option(
        "--reader-max-cost",
        type=_AMOUNT,
        metavar="USD",
        help="Stop asking the reader when this command has cost this much; other responses stay unread. The reader's "
        "row needs prices.",
    ),
)


def reader_options(command: _F) -> _F:
    """Return *command* with the options of a second reader (a language model that reads responses)."""
    return with_options(_READER, command)


def bounded(base: _M, names: Mapping[str, str], given: Mapping[str, Any]) -> _M:
    """Return *base* (limits or a budget) with the values of the options in *given*.

    Raises ConfigError that names the option for a value outside the range of its setting.
    """
    changes = {field: given[option] for option, field in names.items() if given.get(option) is not None}
    try:
        return type(base).model_validate(dict(base) | changes)
    except ValidationError as error:
        wrong = error.errors()[0]
        option = next(option for option, field in names.items() if field == wrong["loc"][0])
        raise ConfigError(f"--{option.replace('_', '-')} {wrong['input']}: {wrong['msg']}") from None
