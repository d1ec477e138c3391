"""Two stored arms of one model, made by hand: a test says only in what they differ."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Prices, Usage
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore

__all__ = ["CONFIG", "MODEL", "PAIRS", "an_arm"]

PAIRS = 4
MODEL = {"provider": "openai", "name": "m", "model": "m-1"}
PRICES = {"input": 2.5, "output": 10.0, "cached": None}
USAGE = Usage(model_calls=1, input=1000, output=60)
CONFIG: Mapping[str, Any] = {
    "source": {"name": "data", "note": "A note.", "demonstration": False},
    "libraries": {"numpy": "2.1.0", "opencv-python-headless": "4.10.0", "openai": "1.60.0"},
    "model": {**MODEL, "prices": PRICES, "max_connections": 8, "timeout_seconds": 300},
}
"""What a run keeps of its settings, as far as arms are compared by it."""


def an_arm(
    folder: Path,
    *,
    tools: tuple[str, ...] = (),
    config: Mapping[str, Any] = CONFIG,
    sample: Callable[[int], Mapping[str, Any]] = lambda _: {},
    record: Callable[[int], Mapping[str, Any]] = lambda _: {},
    **identity: Any,
) -> Run:
    """Store an arm of ``PAIRS`` samples and return it as read back.

    *sample* and *record* return by number in what a sample and its record are not the usual ones.
    """
    condition = {"condition": "on" if tools else "off", "tools": tools, "tool_set": "2026-11" if tools else ""}
    fields = {"model": MODEL} | condition | identity
    samples = [
        a_sample(f"s{at}", **{"target": (10.0 + at,), "subject": f"d/{at}"} | dict(sample(at))) for at in range(PAIRS)
    ]
    with RunStore.create(folder, samples, an_identity(**fields), config) as store:
        for at, one in enumerate(samples):
            trace = Trace()
            asked = f"2026-11-01T10:{at:02}:00+00:00"
            prices = config.get("model", {}).get("prices")
            usual = {
                "usage": USAGE,
                "cost_usd": USAGE.cost_usd(Prices.model_validate(prices)) if prices else None,
                "outcome": Outcome.ANSWERED,
                "response": f"<answer>{10.5 + at}</answer>",
                "prompt_sha256": f"prompt {at}",
                "v0_sha256": trace.picture(b"picture %d" % at),
                "finish_reasons": ("stop",),
                "model_versions": ("m-1",),
                "fingerprints": ("fp_1",),
                "asked_at": asked,
                "last_asked_at": asked,
            }
            store.add(Record(sample=one, **usual | dict(record(at))), trace)
    return open_run(folder)
