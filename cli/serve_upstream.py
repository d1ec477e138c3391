"""``medvision-agent serve-upstream``: serve a model of MedVision's package by chat completions on this machine."""

import json
from typing import Any

import click

from medvision_agent.errors import ConfigError

__all__ = ["command"]


@click.command("serve-upstream")
@click.argument("name")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8900,
    show_default=True,
    help="Port to listen on; 0 takes any free port.",
)
@click.option(
    "--arg",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="Keyword argument of the model's class, such as model_hf=FOLDER. A value that is JSON (a number, true, null) "
    "is decoded; any other value stays a text. Repeat the option for more.",
)
def command(*, name: str, port: int, given: tuple[str, ...]) -> None:
    """Serve the model NAME of MedVision's own package, so that a row of the catalogue can ask it.

    Run this where medvision-bm and the model's own packages are installed. NAME is MedVision's name of the model
    (meddr, healthgpt, llava_med, huatuogpt_vision, ...). The server answers this machine only. It
    accepts one question with one image, and no tools (docs/models.md). Ctrl-C ends it.
    """
    from medvision_agent.agent.upstream.model import open_upstream
    from medvision_agent.agent.upstream.serve import serve_upstream

    settings = dict(_setting(one) for one in given)
    serve_upstream(
        lambda: open_upstream(name, settings), port, lambda model, url: click.echo(f"{model.version}: {url}")
    )


def _setting(text: str) -> tuple[str, Any]:
    """Return the name and the value of KEY=VALUE; a value that is JSON (a number, true, null) is decoded.

    Raises ConfigError for any other form.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ConfigError(f"--arg {text}: expected KEY=VALUE, such as model_hf=FOLDER")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
