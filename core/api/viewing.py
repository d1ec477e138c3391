"""View stored runs and studies in a browser, from a server on this machine or from a folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.api.loaded import PathText
from medvision_agent.errors import ConfigError, StorageError, nearest
from medvision_agent.eval.browse.bundle import Bundled, write_bundle
from medvision_agent.eval.browse.forms import Talk
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.page import page_files
from medvision_agent.eval.browse.study import arm_name
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.study.plan import Plan

__all__ = ["Bundled", "ShownTalk", "Talks", "bundle", "talks", "view"]


@dataclass(frozen=True)
class ShownTalk:
    """The conversation of one sample in one run."""

    name: str
    """Name of the run."""
    folder: Path
    """Folder of the run, which holds the images."""
    talk: Talk
    """The messages, tool calls and score, as the viewer shows them."""


@dataclass(frozen=True)
class Talks:
    """The conversations of one sample, one for each run."""

    shown: tuple[ShownTalk, ...]
    left_out: tuple[str, ...]
    """Arms of studies whose conversations are not in ``shown``, because they were not requested."""


def view(
    folders: PathText | Sequence[PathText] = ".",
    *,
    port: int = 0,
    browser: bool = True,
    protocol: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Show runs and studies, also unfinished ones, in the browser until Ctrl-C.

    The server listens on this machine only, and answers only requests with the token in its address.
    Nothing stored is changed; notes on samples go to ``review.jsonl`` beside their run.

    Args:
        folders: Runs, studies, and folders of them.
        port: Port of the server; 0 takes a free port.
        browser: Open the address in the default browser, if there is a graphical one.
        protocol: Scoring rules; where not given those a study declared, else the default ones.
        say: Called with the line that contains the address.

    Raises StorageError if a folder does not exist, ConfigError if the port is in use.
    """
    from medvision_agent.eval.server.serve import open_browser, serve  # noqa: PLC0415 - needs the server's packages

    library = Library(_folders(folders), protocol_named(protocol) if protocol else None)

    def ready(address: str, once: str) -> None:
        say(f"{address}\nopen this address in a browser on this machine; Ctrl-C ends the server")
        if browser:
            open_browser(once)

    serve(library, page_files(), port=port, ready=ready)


def bundle(
    folders: PathText | Sequence[PathText],
    out: PathText,
    *,
    samples: int | None = None,
    protocol: str | None = None,
) -> Bundled:
    """Write the viewer with runs and studies as a folder that opens from disk or from any web host.

    Args:
        folders: Runs, studies, and folders of them.
        out: The folder: a new one, an empty one, or an earlier bundle, which is replaced.
        samples: Maximum number of samples, each with its conversations in all runs. Half of them are those whose loss
            changes most in the primary contrast of a study, or between single runs of one model; the others are spread
            evenly. 0 takes all. By default 100, or fewer if samples were asked in many runs, so that there are about
            200 conversations.
        protocol: Scoring rules; where not given those a study declared, else the default ones.

    Raises StorageError if there is no run, or *out* holds anything else or cannot be written.
    """
    library = Library(_folders(folders), protocol_named(protocol) if protocol else None)
    return write_bundle(library, page_files(), Path(out), samples)


def talks(
    path: PathText, sample: str, arms: Sequence[str] = (), *, every: bool = False, protocol: str | None = None
) -> Talks:
    """Return the conversations about the sample with the id *sample*, in a run or in arms of a study.

    *arms* are names with or without the model; a name without the model means this arm of each model. By default they
    are the two arms of the primary contrast with the first model, or with *every* all arms. *protocol* names the rules
    of the scores; by default those that a study declared, else the default ones.

    Raises StorageError if no run asks the sample, ConfigError for an unknown arm.
    """
    library = Library(_folders(path), protocol_named(protocol) if protocol else None)
    library.look()
    runs = {key: run for key, run in library.runs.items() if not run.place.canary}
    known = list(dict.fromkeys(run.place.arm for run in runs.values() if run.place.arm))
    wanted = _named(path, arms, known, library.plans) if arms else known if every else _first(known, library.plans)
    found, ids = list[ShownTalk](), set[str]()
    for key, run in runs.items():
        if run.place.arm not in wanted and (run.place.arm or arms):
            continue
        with library.opened(key) as feed:
            while not feed.listed and feed.read_on():
                pass
            rows = [row for row, line in enumerate(feed.lines) if line.id == sample]
            ids.update(line.id for line in feed.lines)
            if not feed.lines and feed.problem:
                raise StorageError(feed.problem)
        found += [ShownTalk(run.place.name, run.feed.folder, _talk(library, key, row)) for row in rows]
    if not found:
        near = nearest(sample, ids) or (f" For example: {min(ids)!r}." if ids else "")
        raise StorageError(
            f"{path}: no run asks a sample {sample!r}.{near} All ids are in the table of samples of "
            "`medvision-agent view` and of `medvision-agent export --format csv`"
        )
    return Talks(tuple(found), tuple(arm for arm in known if arm not in wanted))


def _talk(library: Library, key: str, row: int) -> Talk:
    """Return the conversation about the sample at index *row* of the run with the key *key*."""
    talk = library.talk(key, row)
    if talk.outcome == Outcome.REJECTED:  # its own result, or the server's rule: all records together say it
        with library.opened(key, whole=True):
            talk = library.talk(key, row)
    return talk


def _named(path: PathText, arms: Sequence[str], known: Sequence[str], plans: Sequence[Plan]) -> set[str]:
    """Return the full names of the arms that a user named; empty for no name.

    A full name begins with the model's name if the study asks several models. Raises ConfigError, which names *path*,
    for a name that no arm has.
    """
    short = {arm_name(plan, cell.model, cell.arm): cell.arm for plan in plans for cell in plan.cells}
    wanted = set[str]()
    for arm in arms:
        meant = [name for name in known if arm in {name, short.get(name)}]
        if not meant:
            every = dict.fromkeys((*known, *short.values()))
            arms_known = f"; known: {', '.join(known)}" if known else ": a run has no arms"
            raise ConfigError(f"--arm: {path} has no arm {arm!r}{arms_known}.{nearest(arm, every)}")
        wanted.update(meant)
    return wanted


def _first(known: Sequence[str], plans: Sequence[Plan]) -> set[str]:
    """Return the arms of the primary contrasts with the first model, or all arms if none of these has begun."""
    first = {arm_name(plan, plan.cells[0].model, arm) for plan in plans for arm in plan.first_arms}
    return first.intersection(known) or set(known)


def _folders(given: PathText | Sequence[PathText]) -> list[Path]:
    """Return the given folders as a list; raises StorageError for one that does not exist."""
    every = [Path(one) for one in ([given] if isinstance(given, str | PathLike) else given)]
    for folder in every:
        if not folder.is_dir():
            raise StorageError(f"{folder}: no such folder; give runs, studies or folders of them")
    return every
