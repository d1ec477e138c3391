"""The options that bound a run: what one sample may use, what the whole run may take, and ``--dry-run``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medvision_agent.cli.options import with_options
from medvision_agent.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from medvision_agent.agent.limits import Limits
    from medvision_agent.eval.asking.budget import Budget

__all__ = ["budget_options", "limit_options", "take_budget", "take_limits"]

_F = TypeVar("_F", bound=Callable[..., Any])
_COUNT = click.IntRange(min=1)
_AMOUNT = click.FloatRange(0, min_open=True)

_OPTIONS = (
    click.option("--max-model-calls", type=click.IntRange(2, 1000), default=12, show_default=True, help="Per sample."),
    click.option("--max-tool-calls", type=click.IntRange(1, 10_000), default=24, show_default=True, help="Per sample."),
    click.option("--sample-seconds", type=_AMOUNT, default=600, show_default=True, help="Time of one sample."),
    click.option("--sample-tokens", type=_COUNT, default=250_000, show_default=True, help="Tokens of one sample."),
    click.option("--max-cost", type=_AMOUNT, metavar="USD", help="Stop the run there; continue with --resume."),
    click.option("--max-tokens", type=_COUNT, help="Stop the run after this many tokens; continue with --resume."),
    click.option("--max-seconds", type=_AMOUNT, help="Stop the run after this time; continue with --resume."),
)
_BUDGET_OPTIONS = (
    click.option("--max-cost", type=_AMOUNT, metavar="USD", help="Stop there, instead of the file's budget."),
    click.option("--max-tokens", type=_COUNT, help="Stop after this many tokens."),
    click.option("--max-seconds", type=_AMOUNT, help="Stop after this time."),
)
_LIMITS = {
    "max_model_calls": "model_calls",
    "max_tool_calls": "tool_calls",
    "sample_seconds": "seconds",
    "sample_tokens": "tokens",
}
_BUDGET = {"max_cost": "usd", "max_tokens": "tokens", "max_seconds": "seconds"}


def limit_options(command: _F) -> _F:
    """Add the options that bound a run."""
    return with_options(_OPTIONS, command)


def budget_options(command: _F) -> _F:
    """Add the options that bound a study."""
    return with_options(_BUDGET_OPTIONS, command)


def take_limits(options: dict[str, Any]) -> "Limits":
    """Take the limits of one sample out of *options*; raises ConfigError."""
    from medvision_agent.agent.limits import Limits

    return _made(Limits, _LIMITS, options)


def take_budget(options: dict[str, Any]) -> "Budget":
    """Take the budget of the run out of *options*; raises ConfigError."""
    from medvision_agent.eval.asking.budget import Budget

    return _made(Budget, _BUDGET, options)


_M = TypeVar("_M", bound="BaseModel")


def _made(model: type[_M], names: dict[str, str], options: dict[str, Any]) -> _M:
    from pydantic import ValidationError

    try:
        return model(**{field: options.pop(option) for option, field in names.items()})
    except ValidationError as error:
        wrong = error.errors()[0]
        option = next(option for option, field in names.items() if field == wrong["loc"][0])
        raise ConfigError(f"--{option.replace('_', '-')} {wrong['input']}: {wrong['msg']}") from None
