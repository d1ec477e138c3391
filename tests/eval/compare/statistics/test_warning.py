"""One warning for each comparison, and how often it is false."""

import numpy as np

from medvision_agent.eval.compare.statistics.informative import Signal, signals, warning
from medvision_agent.eval.compare.statistics.pairs import Result, Unit, pair


def signal(finding: str, check: str) -> Signal:
    return Signal.model_validate(
        {"kind": "failed", "arm": "B", "check": check, "difference": 0.1, "finding": finding, "why": "why"}
    )


def test_only_the_worst_is_told():
    found = [signal("cannot be told", "rate"), signal("informative", "size"), signal("informative", "loss")]
    assert warning(found) == (
        "What is missing is informative: failures of B and the loss of A (+0.100). "
        "Read the bounds, not the complete pairs alone."
    )
    assert warning([signal("not shown", "rate")]) == ""


def test_losses_at_random_are_seldom_called_informative():
    false = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        units = [Unit(f"s{n}", f"p{n // 4}", target_size=float(random.uniform(5, 50))) for n in range(240)]
        arms = [
            [
                Result(unit.sample, None, answered=False)
                if random.random() < 0.1
                else Result(unit.sample, float(random.uniform()), answered=True)
                for unit in units
            ]
            for _ in range(2)
        ]
        false += any(one.finding == "informative" for one in signals(pair(units, *arms)))
    assert false <= 18  # 9 %; five checks without a correction: about a fifth
