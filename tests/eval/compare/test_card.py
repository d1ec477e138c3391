"""The parity card: every unfair difference between two stored arms is refused by name, or told with its count."""

import shutil
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from arms import CONFIG, MODEL, PAIRS, PRICES, an_arm
from forged import forged

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.compare.card import COLUMNS
from medvision_agent.eval.compare.card_words import WORDS, card_lines, limits_line, study_lines
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.tables import parity_table
from medvision_agent.eval.report.words import sentences
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.write import RunStore

ALL = f"{PAIRS} of {PAIRS} pairs"
SERVERS = "a server shows a name and not the weights behind it, so nobody can tell for 6 of 6 pairs"


@pytest.fixture
def arms(tmp_path):
    """Return a function that stores two arms; *a* and *b* say in what each is not the usual one."""

    def stored(a: Any = MappingProxyType({}), b: Any = MappingProxyType({})):
        return an_arm(tmp_path / "a", **a), an_arm(tmp_path / "b", **{"tools": ("ruler",)} | dict(b))

    return stored


def records(**fields):
    """Return what makes every record of an arm have these fields."""
    return {"record": lambda _: fields}


def half(field, one, other):
    """Return what gives records *one* and *other* by turns."""
    return {"record": lambda at: {field: other if at % 2 else one}}


def config(**changes):
    return {"config": {**CONFIG, **changes}}


def prices(**changes):
    return config(model={**CONFIG["model"], "prices": PRICES | changes})


def told(a, b, name, column):
    """Return the count and the sentence of a column of a point."""
    assert run_parity(a, b) == []
    card = parity_card([(a, b)])
    point = next(point for point in card.points if point.name == name)
    assert point.proven + point.assumed + point.unknowable == point.of
    if column == "proven":
        return point.proven, ""
    head = f"  {column}: {WORDS[name].what}: "
    return getattr(point, column), next(line for line in card_lines(card) if line.startswith(head))[len(head) :]


def test_equal_arms_are_proven_in_all_but_the_weights_of_a_server(arms):
    a, b = arms()
    head, *doubts = card_lines(parity_card([(a, b)]))
    assert head == f"parity in 6 pairs, proven: {', '.join(words.what for key, words in WORDS.items() if key != 'weights')}"
    assert doubts == [f"  unknowable: weights behind that version: {SERVERS}"]


def test_one_line_where_all_is_proven(arms):
    model = {"provider": "offline", "name": "cv"}
    lines = card_lines(parity_card([arms({"model": model}, {"model": model})]))
    assert len(lines) == 1
    assert "weights behind that version" in lines[0]
    assert "state of the server" not in lines[0], "there is none"


YEAR = {"asked_at": "2027-11-01T10:00:00+00:00", "last_asked_at": "2027-11-01T10:00:00+00:00"}
TWICE = {"sample": lambda at: {"target": (10.0 + at // 2,)}, **records(v0_sha256="one")}


@pytest.mark.parametrize(
    ("a", "b", "name", "column", "count", "said"),
    [
        ({}, records(fingerprints=("fp_2",)), "fingerprint", "assumed", 6, "(fp_1 in A, fp_2 in B)"),
        ({}, half("fingerprints", ("fp_1",), ("fp_2",)), "fingerprint", "assumed", 3, "(fp_1 in A, fp_1, fp_2 in B)"),
        ({}, half("fingerprints", ("fp_1",), ()), "fingerprint", "assumed", 3, "(fp_1 in A, fp_1 in B)"),
        (records(fingerprints=()), records(fingerprints=()), "fingerprint", "unknowable", 6, "no fingerprint"),
        ({}, records(**YEAR), "date", "assumed", 6, "(up to 365 days)"),
        ({}, {"record": lambda at: YEAR if at == 1 else {}}, "date", "assumed", 1, "1 of 6 pairs lie a day or more"),
        ({}, records(asked_at=""), "date", "unknowable", 6, "no dates are stored with the answers of 6 of 6 pairs"),
        (
            *({}, config(libraries=CONFIG["libraries"] | {"opencv-python-headless": "4.11.0"}), "libraries"),
            *("assumed", 1, "1 of 3 stored versions are not equal (opencv-python-headless 4.10.0 in A, 4.11.0 in B)"),
        ),
        ({}, config(libraries={"numpy": "2.1.0"}), "libraries", "unknowable", 2, "openai 1.60.0 in A, none in B"),
        (config(libraries={}), config(libraries={}), "libraries", "unknowable", 12, "12 of 12 stored versions"),
        ({}, prices(input=5.0), "prices", "assumed", 6, "(2.5 in and 10 out in A, 5 in and 10 out in B)"),
        ({}, half("cost_usd", 9.0, None), "prices", "assumed", 6, "not made by the same prices"),
        ({}, config(model=MODEL), "prices", "unknowable", 6, "no prices are stored"),
        (TWICE, TWICE, "duplicates", "assumed", 3, "('s1' is 's0'; 's3' is 's2'; 's5' is 's4'; 3 under another subject)"),
        (
            *(records(v0_sha256=""), records(v0_sha256=""), "duplicates"),
            *("unknowable", 6, "no hash of the image is stored with 6 of 6 samples"),
        ),
        ({}, half("forced", False, True), "limits", "assumed", 3, "(0 in A, 3 in B)"),
        (records(outcome=Outcome.LIMIT_REACHED), {}, "limits", "assumed", 6, "(6 in A, 0 in B)"),
        (records(prompt_sha256=""), records(prompt_sha256=""), "prompt", "assumed", 6, f"the answers of {ALL}"),
        (records(v0_sha256=""), records(v0_sha256=""), "picture", "assumed", 6, f"the answers of {ALL}"),
        (records(model_versions=()), records(model_versions=()), "version", "assumed", 6, "do not name one version"),
        (
            *(records(model_versions=("m-1", "m-2")), records(model_versions=("m-1", "m-2"))),
            *("version", "assumed", 6, f"the replies of {ALL} do not name one version"),
        ),
        ({}, records(outcome=Outcome.REJECTED, model_versions=()), "version", "assumed", 6, "do not name one"),
    ],
)
def test_what_is_not_the_same_is_told_with_its_count(arms, a, b, name, column, count, said):
    one, two = arms(a, b)
    found, sentence = told(one, two, name, column)
    assert found == count
    assert said in sentence
    (head, *_) = card_lines(parity_card([(one, two)]))
    assert WORDS[name].what not in head.partition("proven: ")[2].split(", ")
    swapped = parity_card([(two, one)])
    assert next(getattr(point, column) for point in swapped.points if point.name == name) == count


@pytest.mark.parametrize(
    ("a", "b", "line"),
    [
        (
            *(half("model_versions", ("m-1",), ("m-2",)), half("model_versions", ("m-2",), ("m-1",))),
            'model version as served: differs for 6 of 6 common samples, first \'s0\' (["m-1"] in A, ["m-2"] in B)',
        ),
        ({}, half("model_versions", ("m-1",), ()), "model version as served: differs for 3 of 6 common samples"),
        ({}, half("prompt_sha256", "other", ""), "prompt_sha256 (the prompt without its tool paragraph): differs"),
        ({}, records(v0_sha256="other"), "v0_sha256 (the picture as sent): differs for 6 of 6 common samples"),
        ({}, {"sample": lambda at: {"target": (99.0 + at,)}}, "sample (question or truth): differs for 6 of 6"),
        ({}, {"sample": lambda _: {"modality": "CT"}}, "sample (question or truth): differs for 6 of 6"),
        ({}, records(outcome=Outcome.UNKNOWN_ENDING), "endings: 6 samples in B stopped for a reason"),
    ],
)
def test_other_samples_and_versions_are_refused_by_name(arms, a, b, line):
    one, two = arms(a, b)
    assert any(found.startswith(line) for found in run_parity(one, two))
    with pytest.raises(ConfigError, match="differ in more than their tools"):
        mva.compare(one.folder, two.folder)


SETTINGS = {
    "version": "0.2",
    "code_sha256": "other",
    "model_name": "n",
    "recipe": "paper-v1",
    "form": "cot",
    "states_spacing": False,
    "display": "ticks",
    "display_sha256": "other",
    "prompt_file_sha256": "other",
    "reshape": (64, 64),
    "output_format": "json",
    "prompts_sha256": "other",
    "sample_ids_sha256": "other",
    "samples_sha256": "other",
    "source_origin": {"package": "p"},
}


@pytest.mark.parametrize("field", SETTINGS)
def test_another_setting_is_refused_by_name(arms, field):
    (line,) = run_parity(*arms({}, {field: SETTINGS[field]}))
    assert line.startswith(field)


MODELS = {"model": "m-2", "frame": "pixel", "temperature": 0.7, "base_url": "http://elsewhere", "grammar": "hermes"}
LIMITS = {"model_calls": 3, "tool_calls": 1, "seconds": 5.0, "tokens": 100, "broken_turns": 1}


@pytest.mark.parametrize("key", MODELS)
def test_another_key_of_the_model_is_refused_by_name(arms, key):
    (line,) = run_parity(*arms({}, {"model": MODEL | {key: MODELS[key]}}))
    assert line.startswith(f"model.{key}: ")


@pytest.mark.parametrize("key", LIMITS)
def test_another_limit_is_refused_by_name(arms, key):
    (line,) = run_parity(*arms({}, {"limits": {key: LIMITS[key]}}))
    assert line.startswith(f"limits.{key}: ")


def test_another_code_of_a_tool_both_arms_have_is_refused_by_name(arms):
    one = {"tools": ("mine",), "tool_code_sha256": {"mine": "a"}}
    (line,) = run_parity(*arms(one, one | {"tool_code_sha256": {"mine": "b"}}))
    assert line.startswith("tool_code_sha256.mine: ")


def test_a_resume_under_other_code_is_refused_by_name(arms):
    a, b = arms()
    RunStore.resume(b.folder, b.identity.model_copy(update={"code_sha256": "new"})).close()
    (line,) = run_parity(a, open_run(b.folder))
    assert line.startswith("resumed: ")


def test_a_resume_under_other_libraries_is_told(arms):
    a, b = arms()
    RunStore.resume(b.folder, b.identity).close()
    later = open_run(b.folder)
    assert later.libraries[0] == CONFIG["libraries"]
    assert set(later.libraries[1]) > {"numpy", "opencv-python-headless"}
    RunStore.resume(b.folder, b.identity).close()
    assert len(open_run(b.folder).libraries) == 2, "noted once"
    assert mva.verify(b.folder).whole
    count, sentence = told(a, later, "libraries", "assumed")
    assert count == 3
    assert f"numpy 2.1.0 in A, 2.1.0, {later.libraries[1]['numpy']} in B" in sentence


def test_answers_that_were_replaced_are_refused_where_they_are_sealed(arms):
    a, b = arms()
    assert told(a, b, "seal", "proven") == (6, "")
    better = "UPDATE record SET json = json_set(json, '$.response', '<answer>10.0</answer>')"
    with forged(b.folder) as database:
        database.execute(better)
    mva.compare(a.folder, b.folder)  # all hashes made anew: no check can tell, and the card says so
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(b.folder / "run.sqlite")) as database, database:
        database.execute(better.replace("10.0", "11.0"))
    with pytest.raises(StorageError, match="the record of sample 's0' .* was changed after it was stored"):
        mva.compare(a.folder, b.folder)


def test_answers_of_an_older_version_are_not_called_sealed(arms):
    a, b = arms()
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(b.folder / "run.sqlite")) as database, database:
        database.execute("ALTER TABLE record DROP COLUMN sha256")
        database.execute("ALTER TABLE record DROP COLUMN trace_sha256")
        database.execute("DELETE FROM run WHERE key = 'tally'")
        database.execute("UPDATE run SET value = '1' WHERE key = 'format'")
    count, sentence = told(a, open_run(b.folder), "seal", "assumed")
    assert (count, sentence.partition(",")[0]) == (6, "6 of 6 pairs are not sealed")
    RunStore.resume(b.folder, b.identity).close()
    assert told(a, open_run(b.folder), "seal", "assumed")[0] == 6, "what is added later is sealed, what was there is not"
