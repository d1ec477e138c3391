"""Stored runs made by hand: two arms of one model over real, synthetic or demonstration samples."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from identities import an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.data.sample import Landmark, Marks, PixelSize, Sample
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.write import RunStore
from medvision_agent.tools.view.png import encode_png

LOST = "LOST"
"""An answer that stands for an infrastructure failure."""
Store = Callable[..., Path]


def sample(number: int, *, subjects: int, synthetic: bool, silver: bool = False, giant: int = 0) -> Sample:
    """Return a distance of 10 to 40 mm; the first *giant* samples are of one subject."""
    return Sample(
        id=f"s{number}",
        task="distance",
        image="a.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="MR" if number % 2 else "CT",
        plane="axial",
        landmarks=("p", "q"),
        target=(10.0 + number % 31,),
        convention="edge",
        truth_points=(Landmark(name="p", x=5, y=5), Landmark(name="q", x=15 + number % 31, y=5)),
        dataset="made" if synthetic else "d",
        subject=f"d/{max(0, number - giant) % subjects}",
        marks=Marks(synthetic=synthetic, silver=silver),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a function that stores a run with one answer per sample and returns its folder."""
    return storing(tmp_path)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return the same for all tests of a module."""
    return storing(tmp_path_factory.mktemp("stores"))


def storing(place: Path) -> Store:
    """Return a function that stores a run with one answer per sample in *place* and returns its folder."""

    def stored(
        name: str,
        answers: Sequence[str | None],
        *,
        tools: Sequence[str] = (),
        subjects: int = 24,
        synthetic: bool = False,
        demonstration: bool = False,
        silver: bool = False,
        giant: int = 0,
        unread: int = 0,
        tokens: int = 0,
        done: int | None = None,
        called: bool = True,
        cost: float | None = None,
        config: Mapping[str, Any] = MappingProxyType({}),
        **identity: Any,
    ) -> Path:
        fields: dict[str, Any] = {
            "model": {"name": "m", "provider": "openai"},
            "condition": "on" if tools else "off",
            "tools": list(tools),
        }
        source = {"name": "phantoms" if synthetic else "data", "note": "A note.", "demonstration": demonstration}
        kind = {"subjects": subjects, "synthetic": synthetic, "silver": silver, "giant": giant}
        samples = [sample(number, **kind) for number in range(len(answers))]
        folder = place / name
        with RunStore.create(folder, samples, an_identity(**fields | identity), {"source": source, **config}) as run:
            for number, (one, answer) in enumerate(zip(samples[:done], answers[:done], strict=True)):
                trace = Trace()
                key = trace.picture(encode_png(np.full((40, 50), 60, np.uint8)))
                lost = answer == LOST
                outcome = Outcome.TIMEOUT if lost else Outcome.NO_ANSWER if answer is None else Outcome.ANSWERED
                record = Record(
                    sample=one,
                    outcome=outcome,
                    response="" if lost else answer or "",
                    detail="nothing came" if lost else "",
                    v0_sha256=key,
                    prompt_sha256="prompt",
                    model_versions=("m-1",),
                    usage=Usage(model_calls=1, output=tokens),
                    cost_usd=cost,
                    unread_calls=int(number < unread),
                    tool_uses=tuple(ToolUse(tool=tool, ok=True, seconds=0.1) for tool in tools) if called else (),
                )
                run.add(record, trace)
        return folder

    return stored


@pytest.fixture
def arms(store: Store) -> tuple[Path, Path]:
    """Return two arms of 96 samples of 24 subjects, some of them failed or lost; the second is better."""
    return _arms(store)


@pytest.fixture(scope="module")
def page_of_arms(stores: Store) -> str:
    """Return the page of such arms, for tests that only read it."""
    return html_page(collect(_arms(stores)))


def _arms(store: Store) -> tuple[Path, Path]:
    random = np.random.default_rng(5)
    folders = []
    for name, tools, spread in (("off", (), 0.5), ("on", ("ruler",), 0.2)):
        answers: list[str | None] = []
        for number in range(96):
            target = 10.0 + number % 31
            answers.append(f"<answer>{target * (1 + random.normal(0, spread)):.2f}</answer>")
        for number in random.choice(96, 9, replace=False):
            answers[number] = None
        for number in random.choice(96, 4, replace=False):
            answers[number] = LOST
        folders.append(store(name, answers, tools=tools))
    return folders[0], folders[1]
