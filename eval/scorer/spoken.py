"""From the convention a model spoke to MedVision's: the one place where a final box is converted.

Contract: ``scored_text`` is what every scorer reads, ours under either protocol and MedVision's own in an exported
run. It is the model's own text, except for a box in another convention: then it is a text of our own from which the
extraction rule of each protocol reads the box that ``written_box`` reads in the model's text by that protocol,
converted; or nothing, where it reads none. Lengths and angles are no coordinates and stay as they are.
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
"""Beyond float32's range: read as infinite by every scorer, and still written without an exponent."""


def spoken_in(frame: str, v0: Size) -> Spoken | None:
    """Return what a record says of a model's convention: nothing where it is MedVision's own.

    *v0* is the size at which the model perceives the whole picture.
    """
    if frame == MEDVISION.name:
        return None
    return Spoken(frame=frame, width_px=v0.width, height_px=v0.height)


def scored_text(record: Record) -> str | None:
    """Return the text that is scored, boxes in MedVision's convention; None where there is no reply."""
    if record.outcome is not Outcome.ANSWERED:
        return None
    if record.spoken is None or not record.sample.asks.is_box:
        return record.response
    # The first pair of tags is for one rule, the last four numbers are for the other, which finds a box in the whole
    # reply wherever there is one between the tags.
    tagged, bare = (_box(record.response, record.spoken, rules) for rules in (_TAGGED, _BARE))
    texts = [f"<answer>{tagged}</answer>"] if "<answer>" in record.response else []
    texts += [bare] if bare != tagged else []
    return "\n".join(texts)


def _box(response: str, spoken: Spoken, rules: Protocol) -> str:
    """Return the box that is read in a response by a protocol, converted; empty where there is none."""
    frame = FRAMES[spoken.frame]
    written = written_box(response, frame, rules)
    if written is None:
        return ""
    box = frame.box_to_medvision([float(number) for number in written], Size(spoken.height_px, spoken.width_px))
    return ", ".join(map(as_number, box))


def as_number(value: float) -> str:
    """Return a number as both protocols read it: no exponent, no sign of a zero, finer than float32 near 1."""
    text = f"{min(max(value, -_HUGE), _HUGE):.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
