"""The values that the numbers of an answer were made of, in words."""

from collections.abc import Mapping
from typing import Any

from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import calls_of
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.forms import PLAIN
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.scene import Missing
from medvision_agent.eval.why.stored import reply_of, scene_of
from medvision_agent.text import plural
from medvision_agent.tools.base import Measures

__all__ = ["made_of"]


def made_of(
    run: Run, record: Record, stored: Mapping[str, Any], tools: Mapping[str, Measures], rules: Protocol
) -> list[str]:
    """Return one line of text for each number of a record's answer, which says from what it was computed, or why not.

    Empty for boxes and areas. *stored* is the trace, *tools* says what each tool measures, *rules* read the answer.
    """
    task, calls = record.sample.asks, calls_of(stored, tools)
    parts = trace(task, reply_of(record), calls, scene_of(run, record, calls), rules)
    return [f"{name}: {_words(part)}" for name, part in zip(numbers_of(task), parts, strict=True)]


def _words(part: Traced | Missing) -> str:
    if isinstance(part, Missing):
        return str(part)
    form = "" if part.form == PLAIN else f", written {part.form.name}"
    several = len(part.readings)
    values = ", ".join(f"{one.exact:.4g}" for one in part.readings)
    mean = f" (the mean of {plural(several, 'reading')}: {values})" if several > 1 else f" ({values})"
    return f"{part.answer:.6g} from {part.source}{mean}{form}"
