"""The answers of a stored run, or of MedVision's result files, with their counterfactuals.

Contract: answers, losses and omissions are the same as those of ``why`` over the same files. A failure is not raised
but recorded with the answer (``Answered.reason``); infrastructure failures are not answers and are skipped.
"""

from collections.abc import Iterator

from medvision_agent.eval.headroom.steps import Answered, answered
from medvision_agent.eval.parts.filed import FiledAnswer
from medvision_agent.eval.parts.replay import Case, LossParts
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.look import Look, looks_at
from medvision_agent.eval.why.scene import Scene
from medvision_agent.eval.why.stored import picture_size
from medvision_agent.tools.view.geometry import Size

__all__ = ["of_file", "of_look", "of_run"]

_INCLUSIVE = "inclusive-index"


def of_run(run: Run, rules: Protocol) -> Iterator[Answered]:
    """Yield the scored answers of a stored run with their counterfactual losses, in the run's order.

    *rules* is the protocol that scores them.
    """
    return map(of_look, looks_at(run, rules))


def of_look(look: Look, parts: LossParts | None = None) -> Answered:
    """Return a scored answer of a stored run with its counterfactual losses.

    *look* is the answer with its conversation; *parts* are the parts of its loss, if known.
    """
    sample = look.record.sample
    case = Case(sample.asks, sample.target, *look.conversation, look.rules)
    inclusive = sample.convention == _INCLUSIVE
    size = _native(look.among.run, look.record) if inclusive and case.task.is_box else None
    text = scored_text(look.record)
    return answered(
        look.question, case, look.score, look.traced, text=text, inclusive=inclusive, size=size, parts=parts
    )


def _native(run: Run, record: Record) -> Size | None:
    """Return the size in pixels of the image in whose rows and columns the target is given; None if unknown."""
    facts = record.sample.medvision
    if facts is not None:
        return Size(*facts.image_size_2d)
    return None if run.identity.reshape or record.enlarged is not None else picture_size(run, record)


def of_file(one: FiledAnswer) -> Answered:
    """Return an answer of a MedVision result file with its counterfactual losses."""
    scene = one.case.scene
    size = scene.views.whole.size if isinstance(scene, Scene) else None
    return answered(one.question, one.case, one.score, one.traced, text=one.response, inclusive=True, size=size)
