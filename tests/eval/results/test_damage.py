"""Damaged records: whatever is put in the place of a field, the other answers are scored and the output is JSON."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from golden import GOLDEN, rows

from medvision_agent.cli.printed.results import section_view
from medvision_agent.eval.results.load import load_answers
from medvision_agent.eval.results.summary import sample_lines, sections
from medvision_agent.eval.scorer.protocol import PROTOCOLS

JUNK = [None, [], {}, "x", -1, 1e308, float("nan"), [[]], [None, None], True, [1, 2, 3], 10**400, {"a": 1}]


def spoilt(value: Any, chance: random.Random) -> Any:
    """Return *value* with something in it dropped or replaced, at any depth."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        rest = {name: one for name, one in value.items() if name != key}
        if chance.random() < 0.3:
            return rest
        return rest | {key: spoilt(value[key], chance) if chance.random() < 0.6 else chance.choice(JUNK)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [chance.choice(JUNK) if row == place else one for row, one in enumerate(value)]
    return chance.choice(JUNK)


@pytest.mark.parametrize("family", ["detection", "tl", "ad"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_damaged_records_never_stop_the_others(tmp_path: Path, name: str, family: str) -> None:
    chance = random.Random(f"{name} {family}")  # noqa: S311 - the same damage every time
    whole = rows(GOLDEN / "v1.2" / family / "inputs.jsonl.gz")
    file = tmp_path / "answers.jsonl"
    rules = PROTOCOLS[name]
    for _ in range(100):
        damaged = [spoilt(row, chance) for row in chance.choices(whole, k=5)]
        file.write_text("".join(json.dumps(row) + "\n" for row in [whole[0], *damaged]), encoding="utf-8")
        answers, notes = load_answers(file, rules)
        assert sum(map(len, answers)) == 6 or notes
        for section in sections(answers, rules, box_sizes=True, removed={("a", "b", 1, 2, "c")}):
            section_view(section.summary)
            json.dumps([section.summary, *sample_lines(section)], allow_nan=False)
        assert answers[0][0].id == whole[0]["id"]
