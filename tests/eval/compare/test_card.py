"""The parity card: every unfair difference between two stored arms is refused by name, or told with its count."""

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from arms import CONFIG, MODEL, PAIRS, PRICES, an_arm
from forged import forged
from told.printed import sentences

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.compare.card_words import WORDS, card_lines, limits_line, study_lines
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.parity_table import parity_table
from medvision_agent.eval.report.tables import contrast_table
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.write import RunStore

USUAL = {name: words for name, words in WORDS.items() if not name.startswith("own ")}
"""What every card has; the others are of images that were enlarged (``report/test_sentences_of_cards.py``)."""
ALL = f"{PAIRS} of {PAIRS} pairs"
SERVERS = "a server shows a name and not the weights behind it, so nobody can tell for 4 of 4 pairs"


@pytest.fixture
def arms(tmp_path):
    """Return a function that stores two arms; *a* and *b* say in what each is not the usual one."""

    def stored(a: Any = MappingProxyType({}), b: Any = MappingProxyType({})):
        return an_arm(tmp_path / "a", **a), an_arm(tmp_path / "b", **{"tools": ("ruler",)} | dict(b))

    return stored


def records(**fields):
    """Return what makes every record of an arm have these fields."""
    return {"record": lambda _: fields}


def one_of_them(**fields):
    """Return what makes one record of an arm have these fields."""
    return {"record": lambda at: fields if at == 1 else {}}


def half(field, one, other):
    """Return what gives records *one* and *other* by turns."""
    return {"record": lambda at: {field: other if at % 2 else one}}


def config(**changes):
    return {"config": {**CONFIG, **changes}}


def prices(**changes):
    return config(model={**CONFIG["model"], "prices": PRICES | changes})


@contextmanager
def edited(folder):
    """Open a run's database as a careless hand would."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        yield database


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
    assert (
        head
        == f"parity in 4 pairs, proven: {', '.join(words.what for key, words in USUAL.items() if key != 'weights')}"
    )
    assert doubts == [f"  unknowable: weights behind that version: {SERVERS}"]


def test_one_line_where_all_is_proven(arms):
    model = {"provider": "offline", "name": "cv"}
    lines = card_lines(parity_card([arms({"model": model}, {"model": model})]))
    assert len(lines) == 1
    assert "weights behind that version" in lines[0]
    assert "fingerprint of the server" not in lines[0], "there is none"


YEAR = {"asked_at": "2027-11-01T10:00:00+00:00", "last_asked_at": "2027-11-01T10:00:00+00:00"}
REJECTED = {"outcome": Outcome.REJECTED, "model_versions": (), "finish_reasons": ()}
TWICE = {"sample": lambda at: {"target": (10.0 + at // 2,)}, **records(v0_sha256="one")}


CASES: list[tuple[Any, ...]] = [
    ({}, records(fingerprints=("fp_2",)), "fingerprint", "assumed", 4, "(fp_1 in A, fp_2 in B)"),
    ({}, half("fingerprints", ("fp_1",), ("fp_2",)), "fingerprint", "assumed", 2, "(fp_1 in A, fp_1, fp_2 in B)"),
    ({}, half("fingerprints", ("fp_1",), ()), "fingerprint", "assumed", 2, "(fp_1 in A, fp_1 in B)"),
    (records(fingerprints=()), records(fingerprints=()), "fingerprint", "unknowable", 4, "no fingerprint"),
    ({}, records(**YEAR), "date", "assumed", 4, "(up to 365 days)"),
    ({}, one_of_them(**YEAR), "date", "assumed", 1, "1 of 4 pairs lie a day or more"),
    ({}, records(asked_at=""), "date", "unknowable", 4, "no dates are stored with the answers of 4 of 4 pairs"),
    (
        *({}, config(libraries=CONFIG["libraries"] | {"opencv-python-headless": "4.11.0"}), "libraries"),
        *("assumed", 1, "1 of 3 versions are not equal (opencv-python-headless 4.10.0 in A, 4.11.0 in B)"),
    ),
    ({}, config(libraries={"numpy": "2.1.0"}), "libraries", "unknowable", 2, "openai 1.60.0 in A, none in B"),
    (config(libraries={}), config(libraries={}), "libraries", "unknowable", 12, "12 of 12 versions"),
    ({}, prices(input=5.0), "prices", "assumed", 4, "(2.5 in and 10 out in A, 5 in and 10 out in B)"),
    ({}, half("cost_usd", 9.0, None), "prices", "assumed", 4, "not made by the same prices"),
    ({}, config(model=MODEL), "prices", "unknowable", 4, "no prices are stored"),
    (
        TWICE,
        TWICE,
        "duplicates",
        "assumed",
        2,
        "('s1' is 's0'; 's3' is 's2'; 2 under another subject)",
    ),
    (
        *(records(v0_sha256=""), records(v0_sha256=""), "duplicates"),
        *("unknowable", 4, "no hash of the image is stored with 4 of 4 samples"),
    ),
    ({}, half("forced", False, True), "limits", "assumed", 2, "(0 in A, 2 in B)"),
    (records(outcome=Outcome.LIMIT_REACHED), {}, "limits", "assumed", 4, "(4 in A, 0 in B)"),
    (records(prompt_sha256=""), records(prompt_sha256=""), "prompt", "assumed", 4, f"the answers of {ALL}"),
    (records(v0_sha256=""), records(v0_sha256=""), "picture", "assumed", 4, f"the answers of {ALL}"),
    (records(model_versions=()), records(model_versions=()), "version", "assumed", 4, "do not name one version"),
    (
        *(records(model_versions=("m-1", "m-2")), records(model_versions=("m-1", "m-2"))),
        *("version", "assumed", 4, f"the replies of {ALL} do not name one version"),
    ),
    ({}, one_of_them(**REJECTED), "version", "assumed", 1, "the replies of 1 of 4 pairs do not name one version"),
]
"""Of two arms: in what each is not the usual one, the point, its column, its count, and what is said."""


@pytest.mark.parametrize(("a", "b", "name", "column", "count", "said"), CASES)
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
            'model version as served: differs for 4 of 4 common samples, first \'s0\' (["m-1"] in A, ["m-2"] in B)',
        ),
        ({}, half("model_versions", ("m-1",), ()), "model version as served: differs for 2 of 4 common samples"),
        ({}, half("prompt_sha256", "other", ""), "prompt_sha256 (the prompt without its tool paragraph): differs"),
        ({}, records(v0_sha256="other"), "v0_sha256 (the image as sent): differs for 4 of 4 common samples"),
        ({}, {"sample": lambda at: {"target": (99.0 + at,)}}, "sample (question or ground truth): differs for 4 of 4"),
        ({}, {"sample": lambda _: {"modality": "CT"}}, "sample (question or ground truth): differs for 4 of 4"),
        ({}, records(outcome=Outcome.UNKNOWN_ENDING), "endings: 4 samples in B stopped for a reason"),
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


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """Return a stored arm as it usually is."""
    return an_arm(tmp_path_factory.mktemp("arm") / "a")


def refused(run, **identity):
    """Return the one line that refuses a run beside the same with another identity."""
    (line,) = run_parity(run, replace(run, identity=run.identity.model_copy(update=identity)))
    return line


@pytest.mark.parametrize("field", SETTINGS)
def test_another_setting_is_refused_by_name(usual, field):
    line = refused(usual, **{field: SETTINGS[field]})
    assert line.startswith(field)


MODELS = {"model": "m-2", "frame": "pixel", "temperature": 0.7, "base_url": "http://elsewhere", "grammar": "hermes"}
LIMITS = {"model_calls": 3, "tool_calls": 1, "seconds": 5.0, "tokens": 100, "broken_turns": 1}


@pytest.mark.parametrize("key", MODELS)
def test_another_key_of_the_model_is_refused_by_name(usual, key):
    line = refused(usual, model=MODEL | {key: MODELS[key]})
    assert line.startswith(f"model.{key}: ")


@pytest.mark.parametrize("key", LIMITS)
def test_another_limit_is_refused_by_name(usual, key):
    line = refused(usual, limits=usual.identity.limits.model_copy(update={key: LIMITS[key]}))
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
    assert count == 3, "openai, OpenCV and numpy"
    assert f"numpy 2.1.0 in A, 2.1.0, {later.libraries[1]['numpy']} in B" in sentence
    assert told(a, later, "libraries", "unknowable")[0] == len(later.libraries[1]) - 3


def test_answers_that_were_replaced_are_refused_where_they_are_sealed(arms):
    a, b = arms()
    assert told(a, b, "seal", "proven") == (4, "")
    better = "UPDATE record SET json = json_set(json, '$.response', '<answer>10.0</answer>')"
    with forged(b.folder) as database:
        database.execute(better)
    mva.compare(a.folder, b.folder)  # all hashes made anew: no check can tell, and the card says so
    with edited(b.folder) as database:
        database.execute(better.replace("10.0", "11.0"))
    with pytest.raises(StorageError, match=r"the record of sample 's0' .* was changed after it was stored"):
        mva.compare(a.folder, b.folder)


def test_answers_of_an_older_version_are_not_called_sealed(arms):
    a, b = arms()
    with edited(b.folder) as database:
        database.execute("ALTER TABLE record DROP COLUMN sha256")
        database.execute("ALTER TABLE record DROP COLUMN trace_sha256")
        database.execute("DELETE FROM run WHERE key = 'tally'")
        database.execute("UPDATE run SET value = '1' WHERE key = 'format'")
    count, sentence = told(a, open_run(b.folder), "seal", "assumed")
    assert (count, sentence.partition(",")[0]) == (4, "4 of 4 pairs are not sealed")
    RunStore.resume(b.folder, b.identity).close()
    assert told(a, open_run(b.folder), "seal", "assumed")[0] == 4, (
        "what is added later is sealed, what was there is not"
    )


def test_every_sentence_has_a_store_for_which_it_is_false(arms):
    """Doubts are told of none of two equal arms; what is proven of these is told of no pair in a case above."""
    a, b = arms()
    points = {point.name: point for point in parity_card([(a, b)]).points}
    assert set(points) == set(USUAL)
    doubtful = {name for _, _, name, _, count, _ in CASES if count == PAIRS or name == "libraries"}
    # Another question or setting refuses; the others have tests of their own.
    assert doubtful | {"question", "settings", "seal", "weights", "duplicates"} == set(USUAL)
    for name, point in points.items():
        weights = name == "weights"  # nobody can tell what a server has: proven only in this process
        assert (point.proven, point.assumed, point.unknowable) == ((0, 0, point.of) if weights else (point.of, 0, 0))


def test_a_prompt_that_is_varied_is_not_called_the_same(arms):
    a, b = arms({}, {**records(prompt_sha256="other"), "form": "cot"})
    assert run_parity(a, b, free=TOOL_FIELDS | {"form", "prompt_sha256"}) == []
    card = parity_card([(a, b)])
    assert "form" in card.varied
    assert "prompt" not in {point.name for point in card.points}
    assert WORDS["prompt"].what not in card_lines(card)[0]


def test_arms_without_a_scored_pair_prove_nothing(arms):
    a, b = arms({}, records(outcome=Outcome.TIMEOUT))
    assert card_lines(parity_card([(a, b)])) == ["parity: no pair of scored answers, so nothing is proven"]


def test_epochs_are_pairs_of_their_own(arms):
    a, b = arms({}, half("forced", False, True))
    card = parity_card([(a, b), (a, b)])
    points = {point.name: point for point in card.points}
    assert (card.pairs, points["prompt"].proven, points["limits"].found) == (8, 8, "0 in A, 4 in B")
    assert (points["duplicates"].proven, points["duplicates"].of) == (4, 4)
    assert card.limited == {"distance": (0, 4)}
    assert limits_line(card, "distance") == "ended by a limit, among the pairs: 0 in A, 4 in B"
    assert limits_line(parity_card([(a, a)]), "distance") == ""


def test_contrasts_of_which_the_same_is_known_share_their_lines(arms):
    a, b = arms({}, records(fingerprints=("fp_2",)))
    same, other = parity_card([(a, a)]), parity_card([(a, b)])
    lines = study_lines([("one", same), ("two", other), ("three", same)])
    assert [line.partition(" in 4")[0] for line in lines if not line.startswith(" ")] == [
        "parity of one; three",
        "parity of two",
    ]
    assert sum("the same fingerprint" in line for line in lines) == 1


def test_the_card_stands_in_json_and_in_the_report(arms):
    a, b = arms({}, records(**YEAR, forced=True))
    found = json.loads(json.dumps(mva.compare(a.folder, b.folder).to_json()["parity"]))
    points = {point["name"]: point for point in found["points"]}
    assert list(points) == list(USUAL)
    assert points["date"]["rests_on"]["assumed"].startswith("the stored dates of 4 of 4 pairs lie a day or more apart")
    assert points["date"]["rests_on"]["proven"] == ""
    assert found["varied"] == ["condition", "tool_set", "tools"]
    (chapter,) = collect([a.folder, b.folder]).chapters
    rows = {row[1]: row for row in parity_table(chapter, "c1").rows}
    assert rows["time of asking (within a day)"][3] == points["date"]["rests_on"]["assumed"]
    assert rows["weights behind that version"][2:] == ("", "", SERVERS)
    said = [line for line in sentences(chapter) if "assumed and not proven" in line]
    assert len(said) == 1
    assert "time of asking (within a day): " in said[0]
    assert "a limit ended an answer in 4 of 4 pairs" in said[0]
    assert "weights" not in said[0]


def test_endings_by_a_limit_stand_beside_the_difference(arms, capsys):
    a, b = arms({}, half("forced", False, True))
    cli.main(["compare", str(a.folder), str(b.folder)], standalone_mode=False)
    out = " ".join(capsys.readouterr().out.split())
    assert "ended by a limit, among the pairs: 0 in off, 2 in on" in out
    assert out.index("parity in 4 pairs, proven: ") < out.index("distance: 4 pairs")
    table = contrast_table(collect([a.folder, b.folder]).chapters[0], "c1")
    (row,) = table.rows
    cells = dict(zip([column.name for column in table.columns], row, strict=True))
    assert (cells["limit against"], cells["limit"]) == (0, 2)
