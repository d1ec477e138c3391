"""Does a model draw a different answer if it is asked the same question again?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from medvision_agent.agent.models import ModelConfig, Transformers
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.schema import Arm

__all__ = ["fixed", "temperature_of", "without_noise"]


def without_noise(arms: Mapping[str, Arm], epochs: int, cells: Sequence[Cell]) -> list[str]:
    """Return a line for each model whose repeats show no sampling noise: its seed is fixed, or it does not sample.

    Empty if no arm is asked repeatedly.
    """
    repeats = ["repeats"] if len(set(arms.values())) < len(arms) else []
    again = " and ".join([*repeats, *(["epochs"] if epochs > 1 else [])])
    if not again:
        return []
    models = {cell.model: cell.prepared.model for cell in cells}
    return [
        f"{name}: {reason}; {again} of this model show no sampling noise, only what the service itself leaves to chance"
        for name, model in models.items()
        for reason in fixed(model)
    ]


def fixed(model: ModelConfig) -> Iterator[str]:
    """Yield the reason why a model's answers are the same each time; nothing if they are drawn, or it is not known."""
    seed, temperature = _stated(model, "seed"), temperature_of(model)
    if temperature == 0:
        yield "its temperature is 0"
    elif isinstance(model, Transformers) and temperature is None:
        yield "it states no temperature, so it always takes the likeliest token"
    elif seed is not None:
        yield f"its seed is fixed ({seed})"


def temperature_of(model: ModelConfig) -> Any:
    """Return the sampling temperature that a model's row states; None if it states none."""
    return _stated(model, "temperature")


def _stated(model: ModelConfig, name: str) -> Any:
    free: dict[str, Any] = {**getattr(model, "settings", {}), **getattr(model, "extra_body", {})}
    own = getattr(model, name, None)
    return free.get(name) if own is None else own
