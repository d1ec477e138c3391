"""Chapters whose responses were read again, and chapters whose answers lead to decisions."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from identities import an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.reader import Reader, Reading
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.data.sample import PixelSize, Sample
from medvision_agent.eval.findings.inputs import ChapterIn
from medvision_agent.eval.reading.kept import NAME, Kept, Readings
from medvision_agent.eval.reading.texts import wanted_of
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.write import RunStore
from told.answers import RULER, Store

__all__ = ["KIDNEY_OFF", "KIDNEY_ON", "READER", "kidney_run", "kidneys", "read_again", "to_be_read"]

READER = Reader(name="second", identity={"name": "second"}, prompt_sha256="prompt")
KIDNEYS = (35.0, 65.0, 90.0, 120.0)
"""Longer axes of tumours: T1a, T1b, T2a, T2b."""
KIDNEY_OFF, KIDNEY_ON = (50.0, 60.0, 95.0, None), (30.0, 60.0, 65.0, 110.0)
"""Off decides T1b, T1b, T2a, nothing; on T1a, T1b, T1b, T2b: two are turned right and one wrong."""


def read_again(made: Callable[[Store], list[Path]], *, blind_to: str = "\0") -> Callable[[Store], list[Path]]:
    """Return what stores runs, and beside them the last number of each response as a reader would return it.

    The reader finds nothing in a response that contains *blind_to*.
    """

    def stored(store: Store) -> list[Path]:
        folders = made(store)
        for folder in folders:
            with Readings(folder / NAME) as readings:
                readings.introduce(READER)
                for record in open_run(folder).records:
                    count = len(record.sample.asks.numbers)
                    numbers = tuple(re.findall(r"\d+\.\d+", record.response)[-count:])
                    key = READER.key(record.response, wanted_of(record.sample.asks))
                    unread = "no numbers" if blind_to in record.response else ""
                    read = () if unread else numbers
                    usage = Usage(model_calls=1, input=100, output=10)
                    readings.keep(key, "second", Kept(Reading(read, unread, json.dumps(read), "s-1", usage), 0.001))
        return folders

    return stored


def to_be_read(one: ChapterIn) -> ChapterIn:
    """Return a chapter whose plan named a primary reader, which has read nothing yet."""
    return replace(one, reader=READER, read_by=READER)


def kidneys(price: float | None = None) -> Callable[[Store], list[Path]]:
    """Return what stores two arms over renal tumours; each answer with tools costs *price*, in US dollars."""

    def stored(store: Store) -> list[Path]:
        home = store("beside", []).parent
        return [kidney_run(home / "off", KIDNEY_OFF), kidney_run(home / "on", KIDNEY_ON, price, RULER)]

    return stored


def kidney_run(
    folder: Path,
    answers: Sequence[float | None],
    price: float | None = 0.0,
    tools: Sequence[str] = (),
    count: int = 24,
    *,
    called: bool = True,
    **identity: Any,
) -> Path:
    """Store a run over renal tumours, one of each category of every four subjects; *called*: each sample used tools."""
    samples = [
        Sample(
            id=f"s{number}",
            task="size",
            image="a.png",
            pixel_size=PixelSize(height_mm=1, width_mm=1),
            modality="CT",
            plane="axial",
            label="Kidney tumor",
            target=(KIDNEYS[number % 4], 10.0),
            convention="edge",
            dataset="d",
            subject=f"d/{number}",
        )
        for number in range(count)
    ]
    asked = an_identity(condition="on" if tools else "off", tools=list(tools), **identity)
    with RunStore.create(folder, samples, asked, {"source": {"name": "kidneys", "note": ""}}) as run:
        for number, one in enumerate(samples):
            said = answers[number % 4]
            record = Record(
                sample=one,
                outcome=Outcome.ANSWERED,
                response="I cannot tell." if said is None else f"<answer>{said}, 10.0</answer>",
                v0_sha256="picture",
                prompt_sha256="prompt",
                model_versions=("m-1",),
                cost_usd=price,
                tool_uses=tuple(ToolUse(tool=tool, ok=True, seconds=0.1) for tool in tools if called),
            )
            run.add(record, Trace())
    return folder
