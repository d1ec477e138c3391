"""``medvision-agent run``: ask a model the samples of a source, with or without tools, and store every answer."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.cli.limits import limit_options, take_budget, take_limits
from medvision_agent.cli.sampling import sample_options, take_reading, take_selection
from medvision_agent.cli.stopping import INTERRUPTED, Stopping
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL
from medvision_agent.text import printable

if TYPE_CHECKING:
    from medvision_agent.eval.asking.launch import Prepared, Settings
    from medvision_agent.eval.scorer.protocol import Protocol
    from medvision_agent.eval.store.run import Run
    from medvision_agent.tools.view.geometry import Size

__all__ = ["carry_out", "command"]


@click.command()
@click.option("--model", required=True, help="A model of the catalogue (see: medvision-agent models list).")
@click.option(
    "--tools",
    default="on",
    show_default=True,
    metavar="on|off|NAME,NAME|code|blind|sham|again:N",
    help="Tools it may call; code: the provider's code execution; blind, sham, again:N: controls (docs/studies.md).",
)
@sample_options
@click.option("--max-connections", type=click.IntRange(1, 1000), help="Samples in flight; default: the model's own.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the run; default: in runs/.")
@click.option("--resume", is_flag=True, help="Continue the run in --out: what is missing or never got a reply.")
@click.option("--models", "models_file", type=click.Path(path_type=Path, dir_okay=False), help="YAML of own models.")
@click.option("--script", type=click.Path(dir_okay=False), help="Turns of the model 'scripted' (JSON).")
@click.option("--recipe", default="medvision-1.2", show_default=True, help="How a sample is asked; or paper-v1.")
@click.option("--form", default="direct", show_default=True, help="Prompt form: direct, or cot (with steps).")
@click.option("--frame", metavar="NAME", help="Coordinate convention; default: the model's own (docs/prompts.md).")
@click.option("--prompt-file", type=click.Path(path_type=Path, dir_okay=False), help="YAML of your own prompts.")
@click.option("--reshape", metavar="H,W", help="Resample native pictures to this size first.")
@click.option("--protocol", default=DEFAULT_PROTOCOL, show_default=True, help="How the printed summary scores.")
@limit_options
@click.option("--dry-run", is_flag=True, help="Say what would be asked and what it might cost; ask nothing.")
@click.option("--pilot", type=click.Path(path_type=Path, file_okay=False), help="With --dry-run: a run to go by.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def command(
    context: click.Context, /, as_json: bool, protocol: str, dry_run: bool, pilot: Path | None, **options: Any
) -> None:
    """Run a model over samples, with or without tools.

    Works offline as it is: `run --model baseline-cv` measures the built-in demo set. Exit code 0: done; 1: some samples
    never got a reply, or a limit of the run was reached (go on with --resume); 2: wrong usage or input; 130:
    interrupted.
    """
    from medvision_agent.cli.estimate import print_estimate
    from medvision_agent.eval.asking.estimate import estimate
    from medvision_agent.eval.asking.launch import prepare
    from medvision_agent.eval.scorer.protocol import protocol as protocol_named
    from medvision_agent.eval.store.read import open_run

    scoring = protocol_named(protocol)
    if pilot is not None and not dry_run:
        raise ConfigError("--pilot goes with --dry-run: the estimate goes by what that run took")
    prepared = prepare(_settings(**options), asking=not dry_run)
    if dry_run:
        print_estimate(estimate(prepared, open_run(pilot) if pilot else None), as_json=as_json)
        return
    carry_out(context, prepared, scoring, as_json=as_json)


def carry_out(context: click.Context, prepared: "Prepared", scoring: "Protocol", *, as_json: bool) -> None:
    """Run what was prepared, print its summary by a protocol, say what is left, and exit with the code of ``run``."""
    from medvision_agent.agent.wire.redirects import redirections
    from medvision_agent.cli.summary import print_summary
    from medvision_agent.eval.store.files import DATABASE

    for line in [*redirections(prepared.model), *_upgrades(prepared)]:
        click.echo(line, err=True)
    out = prepared.settings.out
    go_on = f"to go on, repeat the command with: --out {out} --resume"
    try:
        run, interrupted, used_up = asyncio.run(_run(prepared))
    except KeyboardInterrupt:
        click.echo(f"stopped; what was finished is stored; {go_on}", err=True)
        context.exit(INTERRUPTED)
    except ProviderError as error:
        if (out / DATABASE).exists():
            raise ProviderError(f"{error}\nstored in {out}; repeat with --out {out} --resume") from error
        raise
    print_summary(run, scoring, as_json=as_json)
    failed = [record for record in run.records if record.outcome.infrastructure]
    if failed:
        first = failed[0]
        detail = " ".join(first.detail.split())[-300:]
        count = "1 sample was" if len(failed) == 1 else f"{len(failed)} samples were"
        click.echo(printable(f"{count} not asked or got no reply; {first.sample.id}: {detail}"), err=True)
    if used_up:
        click.echo(f"stopped: {used_up}; {len(run.pending())} samples are left", err=True)
        go_on = f"{go_on}, and a higher limit"
    if interrupted or failed or used_up:
        click.echo(go_on, err=True)
    context.exit(INTERRUPTED if interrupted else int(bool(failed or used_up)))


def _upgrades(prepared: "Prepared") -> list[str]:
    """Return a line for each library that is not of the version the run to be resumed began with."""
    from medvision_agent.eval.store.files import DATABASE
    from medvision_agent.eval.store.read import open_run

    settings = prepared.settings
    if not settings.resume or not (settings.out / DATABASE).exists():
        return []
    began, now = open_run(settings.out).config["libraries"], prepared.config()["libraries"]
    return [
        f"{name} is {now.get(name, 'not installed')}; this run began with {began.get(name, 'none')}"
        for name in sorted(began.keys() | now.keys())
        if began.get(name) != now.get(name)
    ]


def _settings(*, out: Path | None, reshape: str | None, **options: Any) -> "Settings":
    from medvision_agent.eval.asking.launch import Settings

    if options["resume"] and out is None:
        raise ConfigError("--resume needs --out: the folder of the run to continue")
    return Settings(
        out=out or _default_folder(options["model"], options["tools"]),
        selection=take_selection(options),
        reading=take_reading(options),
        limits=take_limits(options),
        budget=take_budget(options),
        reshape=_size(reshape),
        **options,
    )


def _size(text: str | None) -> "Size | None":
    """Return the size written as HEIGHT,WIDTH; raises ConfigError."""
    from medvision_agent.tools.view.geometry import Size

    if text is None:
        return None
    try:
        height, width = (int(part) for part in text.split(","))
        return Size(height, width)
    except ValueError:
        raise ConfigError(f"--reshape {text}: expected HEIGHT,WIDTH in whole pixels, such as 512,512") from None


def _default_folder(model: str, tools: str) -> Path:
    """Return a folder named by time, model and tools; only letters a file system takes."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    name = "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in f"{model}-tools-{tools}")
    return Path("runs") / f"{stamp}-{name[:80]}"


async def _run(prepared: "Prepared") -> tuple["Run", bool, str]:
    """Run with a progress bar; the first Ctrl-C or SIGTERM stops after what is in flight, the second at once.

    Returns the run, whether it was interrupted, and which limit of the run stopped it (empty: none did).
    """
    from medvision_agent.cli.progress import RunProgress
    from medvision_agent.eval.asking.launch import execute
    from medvision_agent.eval.asking.runner import Watch

    stopping, used_up = Stopping(), list[str]()

    def start(run: "Run") -> None:
        click.echo(f"writing to {run.folder}", err=True)
        progress.start(run)

    with RunProgress() as progress:
        watch = Watch(on_start=start, on_record=progress.add, on_fault=progress.fault, on_limit=used_up.append)
        run = await execute(prepared, watch=watch, stop=stopping.stop)
    return run, stopping.interrupted, "".join(used_up)
