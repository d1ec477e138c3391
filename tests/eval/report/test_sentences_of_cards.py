"""Every sentence of a parity card: printed of two stores of which it is true, and not of two of which it is false."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from arms import CONFIG, MODEL, PAIRS, PRICES, an_arm
from told.templates import pattern, templates

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.compare.card import COLUMNS, Card
from medvision_agent.eval.compare.card_words import WORDS, card_lines, card_rows, limits_line
from medvision_agent.eval.compare.drift import Drift
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.record import Enlarged

Spec = dict[str, Any]


def records(**fields: Any) -> Spec:
    """Return what makes every record of an arm have these fields."""
    return {"record": lambda _: fields}


def enlarged(**fields: str) -> Spec:
    """Return what makes an arm one that was shown larger images, with these fields otherwise."""

    def record(at: int) -> Spec:
        own = {"prompt_sha256": f"prompt {at}", "v0_sha256": an_arms_picture(at)} | fields
        sizes = {"allowed": 8000, "own": 2000, "given": 7900, "height_px": 40, "width_px": 50}
        return {"enlarged": Enlarged(**sizes, **own), "prompt_sha256": f"larger {at}", "v0_sha256": "1" * 64}

    return {"record": record, "condition": "matched:enlarged"}


def an_arms_picture(at: int) -> str:
    """Return the hash of the picture that the usual arm stores."""
    return sha256(b"picture %d" % at).hexdigest()


LATER = {"asked_at": "2027-11-01T10:00:00+00:00", "last_asked_at": "2027-11-01T10:00:00+00:00"}
OFFLINE = {"model": {"provider": "offline", "name": "cv"}}
STORES: dict[str, tuple[Spec, Spec]] = {
    "equal": ({}, {}),
    "equal, no server": (OFFLINE, OFFLINE),
    "no server, other versions": (
        OFFLINE | records(model_versions=("1", "2")),
        OFFLINE | records(model_versions=("1", "2")),
    ),
    "another form": ({}, {"form": "cot"}),
    "another truth": ({}, {"sample": lambda at: {"target": (99.0 + at,)}}),
    "no prompts": (records(prompt_sha256=""), records(prompt_sha256="")),
    "no pictures": (records(v0_sha256=""), records(v0_sha256="")),
    "enlarged": (enlarged(), {}),
    "enlarged, another prompt": (enlarged(prompt_sha256="other"), {}),
    "enlarged, another image": (enlarged(v0_sha256="0" * 64), {}),
    "two versions": (records(model_versions=("m-1", "m-2")), records(model_versions=("m-1", "m-2"))),
    "another fingerprint": ({}, records(fingerprints=("fp_2",))),
    "no fingerprints": (records(fingerprints=()), records(fingerprints=())),
    "a year later": ({}, records(**LATER)),
    "no dates": (records(asked_at=""), records(asked_at="")),
    "other libraries": ({}, {"config": {**CONFIG, "libraries": dict.fromkeys(CONFIG["libraries"], "9")}}),
    "no libraries": ({"config": {**CONFIG, "libraries": {}}},) * 2,
    "other prices": ({}, {"config": {**CONFIG, "model": {**MODEL, "prices": PRICES | {"input": 5.0}}}}),
    "no prices": ({"config": {**CONFIG, "model": MODEL}},) * 2,
    "not sealed": ({}, {}),
    "twice": ({"sample": lambda _: {"target": (10.0,)}} | records(v0_sha256="one"),) * 2,
    "limits": ({}, records(forced=True)),
    "lost": ({}, records(outcome=Outcome.TIMEOUT)),
    "canaries": ({}, {}),
}
"""By name: in what each of two arms is not the usual one."""
DRIFT = Drift(task="distance", losses=(0.1, 0.2, 0.3), n=4, subjects=4, p=0.5)

POINTS: dict[tuple[str, str], tuple[str, str]] = {
    ("settings", "proven"): ("equal", "another form"),
    ("question", "proven"): ("equal", "another truth"),
    ("prompt", "proven"): ("equal", "no prompts"),
    ("prompt", "assumed"): ("no prompts", "equal"),
    ("picture", "proven"): ("equal", "enlarged"),
    ("picture", "assumed"): ("no pictures", "equal"),
    ("own prompt", "proven"): ("enlarged", "enlarged, another prompt"),
    ("own picture", "proven"): ("enlarged", "enlarged, another image"),
    ("version", "proven"): ("equal", "two versions"),
    ("version", "assumed"): ("two versions", "equal"),
    ("weights", "proven"): ("equal, no server", "equal"),
    ("weights", "assumed"): ("no server, other versions", "equal, no server"),
    ("weights", "unknowable"): ("equal", "equal, no server"),
    ("fingerprint", "proven"): ("equal", "another fingerprint"),
    ("fingerprint", "assumed"): ("another fingerprint", "equal"),
    ("fingerprint", "unknowable"): ("no fingerprints", "equal"),
    ("date", "proven"): ("equal", "a year later"),
    ("date", "assumed"): ("a year later", "equal"),
    ("date", "unknowable"): ("no dates", "equal"),
    ("libraries", "proven"): ("equal", "other libraries"),
    ("libraries", "assumed"): ("other libraries", "equal"),
    ("libraries", "unknowable"): ("no libraries", "equal"),
    ("prices", "proven"): ("equal", "other prices"),
    ("prices", "assumed"): ("other prices", "equal"),
    ("prices", "unknowable"): ("no prices", "equal"),
    ("seal", "proven"): ("equal", "not sealed"),
    ("seal", "assumed"): ("not sealed", "equal"),
    ("duplicates", "proven"): ("equal", "no pictures"),
    ("duplicates", "assumed"): ("twice", "equal"),
    ("duplicates", "unknowable"): ("no pictures", "equal"),
    ("limits", "proven"): ("equal", "limits"),
    ("limits", "assumed"): ("limits", "equal"),
}
"""By point and column: stores of which the sentence is true, and of which it is false."""
SERVICE = "service in the course of the study"
LINES = {
    "parity{}: no pair of scored answers, so nothing is proven": ("lost", "equal"),
    "parity{} in {}, proven: {}": ("equal", "lost"),
    "canaries, {}: mean loss {} at {}, p {} for a change ({})": ("canaries", "equal"),
    SERVICE: ("canaries", "equal"),
    "ended by a limit, among the pairs: {} in {}, {} in {}": ("limits", "equal"),
}
"""The other texts of ``card_words.py``."""


@pytest.fixture
def card(tmp_path) -> Callable[[str], Card | None]:
    """Return a function that returns the card of two stores; None where they are refused."""

    def made(name: str) -> Card | None:
        a, b = STORES[name]
        one = an_arm(tmp_path / name / "a", **a)
        two = an_arm(tmp_path / name / "b", **{"tools": ("ruler",)} | b)
        two = replace(two, unsealed=frozenset(f"s{at}" for at in range(PAIRS))) if name == "not sealed" else two
        if run_parity(one, two, free=TOOL_FIELDS | ({"enlarged"} if one.enlarged else frozenset())):
            return None
        return parity_card([(one, two)], (DRIFT,) if name == "canaries" else ())

    return made


def cell(card: Card | None, point: str, column: str) -> str:
    """Return what stands in a column of a point; empty where nothing does."""
    rows = {} if card is None else {row[0]: row[1:] for row in card_rows(card)}
    cells = rows.get(WORDS[point].what, ("", "", ""))
    return cells[COLUMNS.index(column)]


def test_every_text_has_its_two_stores():
    texts = {(name, column) for name, words in WORDS.items() for column in COLUMNS if getattr(words, column)}
    assert set(POINTS) == texts
    functions = ("card_lines", "study_lines", "doubts", "limits_line", "_doubted", "_drifted", "_sentence", "_basis")
    assert set(LINES) == {*templates("eval/compare/card_words.py", functions), SERVICE}
    assert {name for pair in (*POINTS.values(), *LINES.values()) for name in pair} <= set(STORES)


@pytest.mark.parametrize(("point", "column"), POINTS)
def test_a_point_is_told_where_it_is_true_and_not_where_it_is_false(card, point, column):
    true, false = (card(name) for name in POINTS[point, column])
    finds = pattern(getattr(WORDS[point], column).replace("{count}", "{}"))
    assert true is not None
    assert finds.search(cell(true, point, column))
    assert not finds.search(cell(false, point, column))
    told, untold = (card_lines(one) if one else [""] for one in (true, false))
    if column == "proven":
        # What is proven stands in the first line, joined by commas; a name may hold some itself.
        proven, doubtful = (lines[0].partition("proven: ")[2].split(", ") for lines in (told, untold))
        what = set(WORDS[point].what.split(", "))
        assert what <= set(proven)
        assert not what <= set(doubtful)
    else:
        head = f"  {column}: {WORDS[point].what}: "
        assert any(line.startswith(head) for line in told)
        assert not any(line.startswith(head) for line in untold)


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_told_where_it_is_true_and_not_where_it_is_false(card, text):
    true, false = (card(name) for name in LINES[text])
    printed = ["\n".join([*card_lines(one), limits_line(one, "distance")]) for one in (true, false)]
    assert pattern(text).search(printed[0])
    assert not pattern(text).search(printed[1])


def test_two_arms_that_are_refused_have_no_card(card):
    assert [name for name in STORES if card(name) is None] == [
        "another form",
        "another truth",
        "enlarged, another prompt",
        "enlarged, another image",
    ]
