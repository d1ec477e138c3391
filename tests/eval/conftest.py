"""Records made by hand, for summaries and comparisons."""

from collections.abc import Callable
from typing import Any

import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.data.sample import PixelSize, Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TaskName

TARGETS: dict[TaskName, tuple[float, ...]] = {
    "detection": (0.0, 0.0, 1.0, 1.0),
    "size": (20.0, 10.0),
    "distance": (20.0,),
    "angle": (45.0,),
    "area": (200.0,),
}
NAMES: dict[TaskName, tuple[str, ...]] = {
    "detection": (),
    "size": (),
    "distance": ("p", "q"),
    "angle": ("p", "q", "r", "s"),
    "area": (),
}
MakeRecord = Callable[..., Record]


@pytest.fixture
def make_record() -> MakeRecord:
    """Return a function that makes a record; *response* None stands for no answer."""

    def make(sample_id: str, task: TaskName, response: str | None, **fields: Any) -> Record:
        sample = Sample(
            id=sample_id,
            task=task,
            image="a.png",
            pixel_size=PixelSize(height_mm=1, width_mm=1),
            modality="MR",
            plane="axial",
            label=None if NAMES[task] else "liver",
            landmarks=NAMES[task],
            target=fields.pop("target", TARGETS[task]),
            convention=fields.pop("convention", "edge"),
            dataset="d",
            subject=fields.pop("subject", f"d/{sample_id}"),
        )
        given: dict[str, Any] = {
            "outcome": Outcome.NO_ANSWER if response is None else Outcome.ANSWERED,
            "response": "" if response is None else f"<answer>{response}</answer>",
            "v0_sha256": "picture",
            "prompt_sha256": "prompt",
            "model_versions": ("m-1",),
        }
        return Record(sample=sample, **(given | fields))

    return make
