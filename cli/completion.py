"""``medvision-agent completion``: shell completion of commands, options, models, tools and runs."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from medvision_agent.errors import ConfigError, StorageError

__all__ = ["command"]

SHELLS = ("bash", "zsh", "fish")
_ZSH = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"
"""Sets up zsh's own completion if it is not set up yet."""


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", is_flag=True, help="Set completion up for every new shell, instead of printing the script.")
def command(shell: str | None, *, install: bool) -> None:
    """Print the script by which a shell (default: that in $SHELL) completes medvision-agent, or set it up.

    With --install, the script is written to ~/.local/share/medvision-agent, and a line is added to ~/.bashrc or
    ~/.zshrc that reads it. For fish it is written to ~/.config/fish/completions. Repeat the command after an update of
    medvision-agent.
    """
    shell = shell or Path(os.environ.get("SHELL", "")).name
    if shell not in SHELLS:
        raise ConfigError(f"completion: unknown shell ($SHELL is {shell!r}); name one of {', '.join(SHELLS)}")
    script = _script(shell)
    if not install:
        click.echo(script)
        return
    try:
        file, started = _install(shell, script)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"completion: cannot be set up: {error}; print the script and place it yourself") from None
    click.echo(f"written: {file}")
    click.echo(f"new shells read it{f' by a line in {started}' if started else ''}; in this one: source {file}")


def _script(shell: str) -> str:
    """Return the script by which *shell* completes commands; ConfigError for a shell unknown to click."""
    kind = get_completion_class(shell)
    if kind is None:
        raise ConfigError(f"completion: click does not support {shell}; name one of {', '.join(SHELLS)}")
    cli = click.get_current_context().find_root().command
    made = kind(cli, {}, "medvision-agent", "_MEDVISION_AGENT_COMPLETE").source()
    return _ZSH + made if shell == "zsh" else made


def _install(shell: str, script: str) -> tuple[Path, Path | None]:
    """Write the script and, if the shell needs it, the line that reads the script; return both files.

    The second file is None for fish, which needs no such line. Raises OSError or UnicodeDecodeError.
    """
    home = Path.home()
    if shell == "fish":
        file = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions/medvision-agent.fish"
        _write(file, script)
        return file, None
    file = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / f"medvision-agent/completion.{shell}"
    _write(file, script)
    started = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc" if shell == "zsh" else home / ".bashrc"
    line = f'[ -r "{file}" ] && source "{file}"  # medvision-agent completion'
    before = started.read_text(encoding="utf-8") if started.exists() else ""
    if line not in before.splitlines():
        gap = "" if before.endswith("\n") or not before else "\n"
        with started.open("a", encoding="utf-8") as lines:
            lines.write(f"{gap}{line}\n")
    return file, started


def _write(file: Path, text: str) -> None:
    """Write a text file, and create its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
