"""What a study's repeats cannot show: the noise of a sampler whose draws are fixed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from medvision_agent.agent.models import ModelConfig, Transformers
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.schema import Arm

__all__ = ["without_noise"]


def without_noise(arms: Mapping[str, Arm], epochs: int, cells: Sequence[Cell]) -> list[str]:
    """Return a line for each model that is asked the same again with a fixed seed or without sampling."""
    again = _again(arms, epochs)
    if not again:
        return []
    models = {cell.model: cell.prepared.model for cell in cells}
    return [
        f"{name}: {reason}; {again} of it show no sampling noise, only what the service itself leaves to chance"
        for name, model in models.items()
        for reason in _fixed(model)
    ]


def _again(arms: Mapping[str, Arm], epochs: int) -> str:
    """Name what asks the same again; empty if nothing does."""
    repeats = len(set(arms.values())) < len(arms)
    return " and ".join([*(["repeats"] if repeats else []), *(["epochs"] if epochs > 1 else [])])


def _fixed(model: ModelConfig) -> Iterator[str]:
    """Yield why a model's draws are the same every time, if they are."""
    own = {name: getattr(model, name, None) for name in ("seed", "temperature")}
    free: dict[str, Any] = {**getattr(model, "settings", {}), **getattr(model, "extra_body", {})}
    seed, temperature = (free.get(name) if value is None else value for name, value in own.items())
    if temperature == 0:
        yield "its temperature is 0"
    elif isinstance(model, Transformers) and temperature is None:
        yield "without a temperature it takes the likeliest token"
    elif seed is not None:
        yield f"its seed is fixed ({seed})"
