"""The measuring canvas of one conversation: its image, and everything stated or measured at its true position.

Contract: coordinates of ``Scene`` are pixels of the image shown, which is the slice that the views of the conversation
were made from. What cannot be drawn is named in ``missing``; nothing is drawn at an uncertain position. If an image had
to be made, its name and bytes are passed to *keep*; all other images are stored with the run.
"""

from collections.abc import Callable, Mapping
from typing import Any

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.browse.calls import CallMarks
from medvision_agent.eval.browse.forms import Mark, Scene
from medvision_agent.eval.browse.shown import image_of
from medvision_agent.eval.browse.stated import answer_marks, truth_marks
from medvision_agent.eval.browse.turns import entries, last_turn, turns_of_calls
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import calls_of
from medvision_agent.eval.why.scene import Missing
from medvision_agent.eval.why.scene import Scene as Views
from medvision_agent.eval.why.stored import scene_of
from medvision_agent.tools.base import Measures

__all__ = ["scene_of_sample"]


def _forget(name: str, png: bytes) -> None:
    """Do nothing with an image: the default of *keep*."""


def scene_of_sample(
    run: Run,
    record: Record,
    tools: Mapping[str, Measures],
    *,
    rules: Protocol | None = None,
    keep: Callable[[str, bytes], None] = _forget,
) -> Scene | str:
    """Return the canvas of a record's conversation, or a text that says why it cannot be drawn.

    *tools* says what the tools of the run measure (``eval/why/stored.py``); *rules* read the answer (default protocol
    if None). *keep* is called with the name and the PNG bytes of the image if it is not stored with the run.
    """
    if run.identity.picture == "none":
        return "the model was shown no image"
    try:
        bare = scene_of(run, record, [])
        if isinstance(bare, Missing):
            return str(bare)
        made = image_of(run, record, bare)
    except (StorageError, DataError) as error:
        return str(error)
    if made.png is not None:
        keep(made.shown.name, made.png)
    marks, missing = _marks(run, record, tools, bare, rules or protocol(DEFAULT_PROTOCOL))
    return Scene(shown=made.shown, marks=tuple(marks), missing=tuple(missing))


def _marks(
    run: Run, record: Record, tools: Mapping[str, Measures], bare: Views, rules: Protocol
) -> tuple[list[Mark], list[str]]:
    """Return the marks of tools, ground truth and answer, in this order, and the reasons for marks that are missing.

    *bare* are the views of the conversation without those that calls made.
    """
    marks, missing = _truth(run, record, bare)
    try:
        trace: Mapping[str, Any] = read_trace(run.folder, record.sample.id)
    except StorageError as error:
        trace, missing = {}, [*missing, f"what the tools measured is not drawn: {error}"]
    calls = calls_of(trace, tools)
    views = scene_of(run, record, calls)
    if isinstance(views, Missing):
        missing.append(f"what the tools measured is not drawn: {views}")
        answered, why = (
            answer_marks(record, calls, bare, rules, last_turn(trace)) if record.sample.asks.is_box else ([], [])
        )
        return [*marks, *answered], [*missing, *why]
    drawn = CallMarks(record.sample.asks, views, frozenset(run.identity.tool_code_sha256))
    every = zip(calls, entries(trace.get("tool_calls")), turns_of_calls(trace), strict=True)
    for number, (call, entry, turn) in enumerate(every, start=1):
        drawn.add(number, turn, call, entry)
    answered, why = answer_marks(record, calls, views, rules, last_turn(trace))
    return [*drawn.marks, *marks, *answered], [*missing, *drawn.missing, *why]


def _truth(run: Run, record: Record, scene: Views) -> tuple[list[Mark], list[str]]:
    """Return the marks of the ground truth and no reason, or no marks and the reason."""
    if run.identity.picture == "swapped":
        return [], ["the ground truth is not drawn: the image is that of another subject"]
    if run.identity.picture == "blank":
        return [], ["the ground truth is not drawn: the image that was shown is uniform"]
    try:
        marks = truth_marks(record, scene)
    except ValueError as error:
        return [], [f"the ground truth is not drawn: {error}"]
    return marks, [] if marks else ["the ground truth is not drawn: its source states no points"]
