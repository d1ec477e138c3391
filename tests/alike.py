"""What two runs must have in common that asked the same: every record and picture, times aside."""

from pathlib import Path

from medvision_agent.eval.store.read import open_run

MOMENTS = {"seconds", "waited_seconds", "asked_at", "last_asked_at", "trace_sha256", "id", "response_id"}
"""What differs between any two runs: times, and names that are given to messages anew."""


def records(folder: Path):
    """Return what is stored in a folder's run, without moments; the trace is opened as the program does."""
    run = open_run(folder)
    found = {}
    for kept in (*run.records, *run.draws, *run.superseded):
        found[kept.sample.id, kept.attempt] = timeless(kept.model_dump(mode="json"))
    pictures = {path.name for path in (folder / "pictures").rglob("*.png")}
    return found, pictures


def timeless(value):
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in MOMENTS}
    return [timeless(item) for item in value] if isinstance(value, list) else value
