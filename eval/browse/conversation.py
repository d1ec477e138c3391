"""One sample of a run, opened: its conversation, its score and its canvas."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from medvision_agent.errors import MedVisionAgentError, StorageError
from medvision_agent.eval.browse.again import decided, read_by
from medvision_agent.eval.browse.feed import BROKEN, Feed
from medvision_agent.eval.browse.forms import Scene, Talk
from medvision_agent.eval.browse.line import line_of
from medvision_agent.eval.browse.made_of import made_of
from medvision_agent.eval.browse.scene import scene_of_sample
from medvision_agent.eval.browse.talk import talk_of
from medvision_agent.eval.store.read import read_sample, read_trace
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["open_talk", "picture_made"]


def open_talk(feed: Feed, key: str, row: int) -> Talk:
    """Return the conversation of the sample in a row of a run; raises StorageError if it is missing or damaged.

    *key* is the run's key on the page. If the canvas cannot be drawn, the result gives the reason; if the origin of
    the answer cannot be computed, that part is empty.
    """
    record, trace = feed.record_of(row), read_trace(feed.folder, feed.lines[row].id)
    run = _shown_to(feed.opened, record)
    line = line_of(feed.lines[row], record, feed.rules)._replace(place=feed.place_in(record))
    return talk_of(
        key,
        row,
        line,
        record=record,
        trace=trace,
        rules=feed.rules,
        made_of=_made_of(feed, run, record, trace),
        read_by=_read_by(feed, record),
        decided=list(decided(record, feed.rules)),
        scene=_scene(feed, run, record),
    )


def picture_made(feed: Feed, row: int, name: str) -> bytes:
    """Return the PNG file of the image *name* under the canvas of a row, which is not stored but made again here.

    Raises StorageError if it cannot be made again, because its source has changed or no longer exists.
    """
    record = feed.record_of(row)
    made: dict[str, bytes] = {}
    scene_of_sample(_shown_to(feed.opened, record), record, feed.tools, rules=feed.rules, keep=made.__setitem__)
    if name not in made:
        raise StorageError("the image cannot be made again: its source has changed or no longer exists")
    return made[name]


def _shown_to(run: Run, record: Record) -> Run:
    """Return the run with the samples that a conversation needs: its own, and the donor whose image was shown.

    Without a donor, the run is returned unchanged.
    """
    if record.donor is None:
        return run
    return replace(run, samples=(record.sample, read_sample(run.folder, record.donor.sample)))


def _scene(feed: Feed, run: Run, record: Record) -> Scene | str:
    try:
        return scene_of_sample(run, record, feed.tools, rules=feed.rules)
    except (MedVisionAgentError, OSError) as error:
        return str(error)
    except BROKEN as error:
        return (
            f"the image and its marks cannot be drawn: the stored run has an unexpected form ({type(error).__name__})"
        )


def _made_of(feed: Feed, run: Run, record: Record, trace: Mapping[str, Any]) -> list[str]:
    try:
        return made_of(run, record, trace, feed.tools, feed.rules)
    except (MedVisionAgentError, OSError, *BROKEN):
        return []


def _read_by(feed: Feed, record: Record) -> list[str]:
    try:
        return list(read_by(feed.folder, record, feed.rules))
    except (MedVisionAgentError, OSError):  # names a folder of this machine
        return ["the file of stored readings (readings.sqlite) cannot be read"]
