"""Converts a final box from the model's convention to MedVision's; this happens only here.

Contract: ``scored_text`` is what every scorer reads, ours under either protocol and MedVision's own in an exported run.
It is the model's own text, except for a box in another convention. In that case we write a text from which each
protocol's extraction rule reads the converted box: the one that ``written_box`` finds in the model's text by that
protocol, or nothing if it finds none. Lengths and angles are not coordinates and are unchanged.
"""

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.boxes import written_box
from medvision_agent.eval.scorer.protocol import PROTOCOLS, Protocol
from medvision_agent.eval.store.record import Record, Spoken
from medvision_agent.tools.view.frames import FRAMES, MEDVISION
from medvision_agent.tools.view.geometry import Size

__all__ = ["as_number", "scored_text", "spoken_in"]

_TAGGED = next(rules for rules in PROTOCOLS.values() if rules.answer_tags)
_BARE = next(rules for rules in PROTOCOLS.values() if not rules.answer_tags)
_HUGE = 1e40
"""Beyond float32's range: every scorer reads it as infinite, and it can be written without an exponent."""


def spoken_in(frame: str, v0: Size) -> Spoken | None:
    """Return the coordinate convention of a model's answer in the form that a record stores.

    None if it is MedVision's own.
    *v0* is the size at which the model perceives the whole image.
    """
    if frame == MEDVISION.name:
        return None
    return Spoken(frame=frame, width_px=v0.width, height_px=v0.height)


def scored_text(record: Record) -> str | None:
    """Return the text that is scored, with boxes in MedVision's convention; None if the record is not answered.

    A record that is not answered (refused, cut off, an error) has no scored text, even where it keeps one.
    """
    if record.outcome is not Outcome.ANSWERED:
        return None
    if record.spoken is None or not record.sample.asks.is_box:
        return record.response
    # The first pair of tags serves one rule, the last four numbers serve the other, which finds a box in the whole
    # reply whenever there is one between the tags.
    tagged, bare = (_box(record.response, record.spoken, rules) for rules in (_TAGGED, _BARE))
    texts = [f"<answer>{tagged}</answer>"] if "<answer>" in record.response else []
    texts += [bare] if bare != tagged else []
    return "\n".join(texts)


def _box(response: str, spoken: Spoken, rules: Protocol) -> str:
    """Return the box that a protocol reads in a response, converted to MedVision's convention; empty without one."""
    frame = FRAMES[spoken.frame]
    written = written_box(response, frame, rules)
    if written is None:
        return ""
    box = frame.box_to_medvision([float(number) for number in written], Size(spoken.height_px, spoken.width_px))
    return ", ".join(map(as_number, box))


def as_number(value: float) -> str:
    """Return a number as text that both protocols can read: nine decimals, no exponent, no negative zero."""
    text = f"{min(max(value, -_HUGE), _HUGE):.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
