"""``medvision-agent run``: ask a model the samples of a source, with or without tools, and store every answer."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.cli.completing import complete_models, complete_protocols
from medvision_agent.cli.lean import import_lean
from medvision_agent.cli.options import given, help_of
from medvision_agent.cli.settings import settings_options, settings_with
from medvision_agent.cli.stopping import INTERRUPTED, terminable
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.text import plural, printable
from medvision_agent.uncollected import uncollected

if TYPE_CHECKING:
    from medvision_agent.api.asking import Ran
    from medvision_agent.eval.asking.estimate import Estimate
    from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["PROTOCOL_HELP", "carry_out", "command", "print_estimate"]


PROTOCOL_HELP = "Scoring rules for the summary: medvision-1.2 or paper-v1."
_OUT = "New folder for the run, or the run to --resume. Default: a new folder runs/TIME-MODEL-tools-TOOLS."


@click.command()
@click.option("--model", required=True, shell_complete=complete_models, help=help_of(Settings, "model"))
@settings_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help=_OUT)
@click.option("--resume", is_flag=True, help=help_of(Settings, "resume"))
@click.option(
    "--protocol", default=DEFAULT_PROTOCOL, show_default=True, shell_complete=complete_protocols, help=PROTOCOL_HELP
)
@click.option("--dry-run", is_flag=True, help="Ask nothing; print what would be asked, and the likely cost.")
@click.option(
    "--pilot",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --dry-run: estimate the tokens per sample from this stored run. Default: by rules of thumb.",
)
@click.option(
    "--verbose", is_flag=True, help="With --dry-run: print the first prompt of each task, and all assumptions."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON; with --dry-run: the estimate.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    protocol: str,
    dry_run: bool,
    pilot: Path | None,
    verbose: bool,
    as_json: bool,
    **_: Any,
) -> None:
    """Run a model over samples, with or without tools.

    The command `medvision-agent run --model baseline-cv` works without network: this offline model measures the
    built-in demo set.

    Exit code 0: all samples have results; 1: samples are left (as when a limit was reached) or ended without a result,
    as by an error of the service; 2: wrong usage or input, or the service refuses all requests; 130: interrupted. After
    1 and 130, --resume continues the run.
    """
    with uncollected():
        import_lean()
        from medvision_agent.api.asking import ask, estimate
        from medvision_agent.eval.scorer.protocol import protocol as protocol_named

    scoring = protocol_named(protocol)
    if pilot is not None and not dry_run:
        raise ConfigError(
            "--pilot needs --dry-run: it is the stored run from which a dry run estimates the cost; add --dry-run, or "
            "leave --pilot out"
        )
    if verbose and not dry_run:
        raise ConfigError(
            "--verbose needs --dry-run; leave it out: a run stores everything, and the commands score, why and report "
            "show it"
        )
    settings = _settings(given(context))
    if dry_run:
        print_estimate(estimate(settings, pilot=pilot), settings.data, as_json=as_json, verbose=verbose)
        return
    carry_out(context, lambda: ask(settings, progress=True, rules=scoring), settings.out, scoring, as_json=as_json)


def carry_out(
    context: click.Context, asking: Callable[[], "Ran"], out: Path, scoring: "Protocol", *, as_json: bool
) -> None:
    """Call *asking*, print the summary of its run and what is left, and exit with the exit code of ``run``.

    *out* is the folder of the run, *scoring* the rules of the summary.
    """
    from medvision_agent.eval.store.files import DATABASE

    go_on = f"to go on, repeat the command with: --out {out} --resume"
    try:
        with terminable():
            ran = asking()
    except KeyboardInterrupt:
        click.echo(f"stopped; finished samples are stored; {go_on}", err=True)
        context.exit(INTERRUPTED)
    except ProviderError as error:
        if (out / DATABASE).exists():
            raise ProviderError(f"{error}\nstored in {out}; repeat with --out {out} --resume") from error
        raise
    # Imported only now, so that asking need not wait for the import of the scorer.
    from medvision_agent.api.scoring import score_run
    from medvision_agent.cli.printed.summary import print_summary

    print_summary(score_run(ran.run, scoring), as_json=as_json, asked=True)
    failed = ran.unanswered
    if failed:
        first = failed[0]
        detail = " ".join(first.detail.split())[-300:]
        count = plural(len(failed), "sample")
        click.echo(printable(f"{count} ended without a result; {first.sample.id}: {detail}"), err=True)
    if ran.used_up:
        click.echo(f"stopped: {ran.used_up}; {ran.left} samples are left", err=True)
        go_on = f"{go_on}, with a higher limit or without it"
    if ran.left:
        unsaid = "" if failed or ran.used_up or ran.interrupted else f"{plural(ran.left, 'sample')} left; "
        click.echo(f"{unsaid}{go_on}", err=True)
    elif failed:
        click.echo("no sample of this run is asked again; `rerun` asks all of them in a new run", err=True)
    context.exit(INTERRUPTED if ran.interrupted else int(bool(failed or ran.used_up or ran.left)))


def _settings(options: dict[str, Any]) -> Settings:
    """Return the settings that the options give, with a default folder without --out; raises ConfigError."""
    from medvision_agent.api.asking import default_folder

    if options.get("resume") and options.get("out") is None:
        raise ConfigError("--resume needs --out: give the folder of the run to continue")
    settings = settings_with(Settings(model=options["model"]), options)
    return settings if "out" in options else settings.but(out=default_folder(settings))


def print_estimate(estimate: "Estimate", data: str, *, as_json: bool, verbose: bool) -> None:
    """Print an estimate of the cost as JSON, in five lines, or (*verbose*) with all prompts and assumptions."""
    from medvision_agent.cli.printed.dry_run import estimate_lines
    from medvision_agent.cli.printed.table import print_wrapped, show_lines

    if as_json:
        click.echo(estimate.model_dump_json(indent=2))
        return
    if not verbose:
        show_lines(estimate_lines(estimate, data))
        return
    for task, prompt in estimate.prompts.items():
        click.echo(f"--- prompt of the first {task} sample, after its image\n{printable(prompt, lines=True)}\n")
    tasks = ", ".join(f"{task} {count}" for task, count in estimate.tasks.items())
    print_wrapped(f"nothing was asked: model {estimate.model}, tools {estimate.condition}")
    print_wrapped(f"{estimate.samples} samples ({tasks}), {estimate.subjects} subjects")
    for row in (*([estimate.probe] if estimate.probe else []), *estimate.spending):
        money = "no prices known" if row.usd is None else f"{row.usd:.4f} US dollars"
        print_wrapped(f"estimated, {row.basis}: {row.input_tokens:,} tokens in, {row.output_tokens:,} out, {money}")
    print_wrapped(f"({estimate.assumed})")
