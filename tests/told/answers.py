"""Answers of arms that gain, lose, fail or are lost, sample by sample."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["BAD", "GOOD", "LARGE", "LOST", "NUMBERS", "OTHERS", "RULER", "SMALL", "SMALLER", "Errors", "N", "Store"]
__all__ += ["but", "in_words", "noise", "said", "stated"]

N = 48
LOST = "LOST"
"""As in ``conftest``: an answer that stands for an infrastructure failure."""
Store = Callable[..., Path]
Errors = NDArray[np.float64]
RULER = ("ruler",)


def noise(seed: int, spread: float, n: int = N) -> Errors:
    return np.abs(np.random.default_rng(seed).normal(0, spread, n))


BAD, GOOD = noise(1, 0.5), noise(2, 0.1)
SMALL, SMALLER = 0.1 + noise(3, 0.004), 0.09 + noise(4, 0.004)
NUMBERS = np.arange(N)
LARGE = NUMBERS % 31 > 21
"""Samples with the largest targets."""
OTHERS = (NUMBERS % 5 == 1) & (NUMBERS < 45)


def said(errors: Errors) -> list[str | None]:
    """Return answers with these relative errors: their losses."""
    return [f"<answer>{(10.0 + number % 31) * (1 + error):.6f}</answer>" for number, error in enumerate(errors)]


def in_words(errors: Errors) -> list[str | None]:
    """Return the same answers in sentences, which the rule does not read."""
    return [f"It is {str(one).removeprefix('<answer>').removesuffix('</answer>')} mm." for one in said(errors)]


def but(answers: Sequence[str | None], where: NDArray[np.bool_], what: str | None) -> list[str | None]:
    """Return answers with another one in some places."""
    return [what if other else answer for answer, other in zip(answers, where, strict=True)]


def stated(shift: float, factor: Errors) -> list[str | None]:
    """Return answers that state the true ends (the image is 50 x 40 mm), the second one moved, times a factor."""
    seen = 10.0 + NUMBERS % 31 + shift
    ends = [f"({5 / 50}, {1 - 5 / 40}), ({(5 + length) / 50}, {1 - 5 / 40})" for length in seen]
    return [f"{where} <answer>{length:.2f}</answer>" for where, length in zip(ends, factor * seen, strict=True)]
