"""Studies over models whose effect of tools is planted: each gets its verdict, worked out again from the raw store."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from planted.images import SUBJECTS, write
from planted.models import FAILS, POLICIES, Scene, Shown, rows
from planted.worked_out import Answer, answers, apart, family, paired
from told.printed import sentences

import medvision_agent as mva
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.model import Chapter, Contrast
from medvision_agent.eval.report.table import fixed

LOWER, NONE = "second arm has the lower loss", "no difference shown"
EQUIVALENT, MARGIN = "equivalent: apart by less than the margin", 0.05
RARE = "second arm is lower in what was seen; rare failures are not excluded"
EQUAL = None
"""No difference in any sample: nothing to test."""
MAIN, BLIND_ON, OFF_BLIND = "off -> on", "blind -> on", "off -> blind"
AGAIN_ON, REGION_ON = "again:3 -> on", "same-region -> on"
MATCHED_ON = "matched -> on"
RESULT_ON, OFF_RESULT = "result-only -> on", "off -> result-only"
MISLED_ON, LARGER_ON = "misled -> on", "matched:enlarged -> on"
UNSEEN_OFF, UNSEEN_ON = "off-no-picture -> off", "on-no-picture -> on"

PLANTED = {
    "faithful": {
        MAIN: LOWER,
        REGION_ON: EQUAL,
        BLIND_ON: LOWER,
        OFF_BLIND: EQUIVALENT,
        MISLED_ON: LOWER,
        OFF_RESULT: LOWER,
        RESULT_ON: EQUAL,
        LARGER_ON: RARE,
    },
    "copier": {
        MAIN: LOWER,
        BLIND_ON: LOWER,
        OFF_BLIND: NONE,
        MISLED_ON: EQUAL,
        OFF_RESULT: LOWER,
        RESULT_ON: EQUAL,
    },
    "prior": {MAIN: EQUIVALENT, UNSEEN_OFF: NONE, UNSEEN_ON: EQUAL, BLIND_ON: EQUAL, OFF_BLIND: NONE},
    "burner": {
        MAIN: LOWER,
        BLIND_ON: EQUAL,
        OFF_BLIND: LOWER,
        AGAIN_ON: NONE,
        OFF_RESULT: NONE,
        RESULT_ON: RARE,
    },
    "burner.matched": {MAIN: NONE, MATCHED_ON: EQUIVALENT, BLIND_ON: EQUAL, OFF_BLIND: NONE},
    "reckoner": {MAIN: LOWER, BLIND_ON: LOWER, OFF_BLIND: NONE, LARGER_ON: LOWER},
    "hurt-on-mr": {MAIN: NONE, BLIND_ON: EQUAL, OFF_BLIND: NONE},
    "rarely": {MAIN: RARE, BLIND_ON: EQUAL, OFF_BLIND: RARE},
}
"""The verdict that each model must get, by contrast. Where compute is matched, all hangs on `matched -> on`."""
DESIGNS = {
    "faithful": ["controls:same-region,misled", "result-only", "matched:enlarged"],
    "copier": ["controls:misled", "result-only"],
    "prior": ["needs-picture"],
    "burner": ["controls:again:3", "result-only"],
    "burner.matched": ["matched"],
    "reckoner": ["matched:enlarged"],
}
"""What is asked beyond the arms off, on and blind."""
HANDED = {"burner": {"result-only": {100}}}
"""The output tokens of an answer to results that were handed back: those of one turn."""


@dataclass(frozen=True)
class Done:
    """A study that was asked, as its report has it and as its files have it."""

    chapter: Chapter
    arms: dict[str, dict[str, Answer]]

    def contrast(self, name: str) -> Contrast:
        return next(one for one in self.chapter.contrasts if one.name == name)

    def rows(self, name: str):
        a, _, b = name.partition(" -> ")
        return paired(self.arms[a], self.arms[b])


def asked(folder: Path, name: str) -> Done:
    study = {
        "name": name,
        "models": [name.partition(".")[0]],
        "max_connections": 1,
        "models_file": "models.yaml",
        "data": "bars.jsonl",
        "base": {"tools": "crop,ruler", "overlays": False},
        "designs": ["on-off", "controls:blind", *DESIGNS.get(name, [])],
        "contrasts": [{"a": "off", "b": "blind"}],
        "strata": ["modality"],
        "margin": MARGIN,
    }
    (folder / f"{name}.yaml").write_text(json.dumps(study), encoding="utf-8")
    done = mva.ablate(folder / f"{name}.yaml", folder / name, progress=False)
    assert (done.left, list(done.problems)) == (0, [])
    (chapter,) = collect([folder / name], most_pictures=0).chapters
    cells = json.loads((folder / name / "study.json").read_text(encoding="utf-8"))["plan"]["cells"]
    return Done(chapter, {one["arm"]: answers(folder / name / one["folder"]) for one in cells})


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> dict[str, Done]:
    """Return the studies by model, each asked when it is wanted first."""
    folder = tmp_path_factory.mktemp("planted")
    write(folder)
    (folder / "models.yaml").write_text(json.dumps(rows()), encoding="utf-8")

    class Studies(dict[str, Done]):
        def __missing__(self, model: str) -> Done:
            self[model] = asked(folder, model)
            return self[model]

    return Studies()


@pytest.mark.parametrize("model", PLANTED)
def test_each_model_gets_the_verdict_that_was_planted(studies, model):
    found = {one.name: one.tests["distance"].verdict for one in studies[model].chapter.contrasts}
    assert found == PLANTED[model]


@pytest.mark.parametrize("model", PLANTED)
def test_differences_intervals_and_verdicts_are_those_of_the_raw_store(studies, model):
    done = studies[model]
    assert len({one.subject for one in done.arms["on"].values()}) == SUBJECTS
    primary = MATCHED_ON if MATCHED_ON in PLANTED[model] else MAIN
    expected = family({one.name: done.rows(one.name) for one in done.chapter.contrasts}, primary, MARGIN)
    for name, other in expected.items():
        test = done.contrast(name).tests["distance"]
        if other is None:
            assert (test.primary.interval, test.primary.p, test.verdict) == (None, None, None)
            assert test.primary.withheld.startswith("no spread")
            continue
        assert test.primary.difference == pytest.approx(other.difference, abs=1e-12)
        assert test.primary.interval == pytest.approx(other.interval, abs=1e-9)
        assert test.primary.p == pytest.approx(other.p, rel=1e-6)
        assert test.local_level == pytest.approx(other.level)
        assert test.verdict == other.verdict


@pytest.mark.parametrize("model", PLANTED)
def test_means_and_counts_are_those_of_the_raw_store(studies, model):
    done = studies[model]
    for one in done.chapter.contrasts:
        pairs, means = done.rows(one.name), one.means["distance"]
        assert means.loss_a == pytest.approx(np.mean([a for _, a, _ in pairs]), abs=1e-12)
        assert means.loss_b == pytest.approx(np.mean([b for _, _, b in pairs]), abs=1e-12)
        counts = one.tests["distance"].primary.differing
        ways = [np.sign(round(b - a, 12)) for _, a, b in pairs]
        assert [counts.b_lower, counts.equal, counts.b_higher] == [ways.count(way) for way in (-1, 0, 1)]


def test_the_difference_of_the_model_that_tools_hurt_on_mr_is_not_the_same_in_both(studies):
    for model in PLANTED:
        done = studies[model]
        (found,) = (one for one in done.contrast(MAIN).interactions["distance"] if one.name == "modality")
        difference, error, p = apart(done.arms["off"], done.arms["on"])
        assert found.difference == pytest.approx(difference, abs=1e-12)
        assert np.mean(found.interval) == pytest.approx(difference, abs=1e-12)
        assert found.p == pytest.approx(p, rel=1e-6)
        assert found.apart == (model == "hurt-on-mr"), (model, error)
        said = [line for line in sentences(done.chapter) if "the same for every modality" in line]
        assert bool(said) == (model == "hurt-on-mr")
        if said:
            assert found.here < 0 < found.there
            assert f"CT {fixed(found.here, 3)}, MR {fixed(found.there, 3, sign=True)}" in said[0]


def test_the_gain_of_the_copier_was_measured_in_the_wrong_place(studies):
    for model, of_on in (("faithful", True), ("copier", False)):
        done = studies[model]
        one = next(one for one in done.chapter.grounded if one.contrast == MAIN)
        on = done.arms["on"]
        assert {answer.right for answer in on.values()} == {of_on}
        assert (one.found.b.right, one.found.b.elsewhere) == ((len(on), 0) if of_on else (0, len(on)))
        gains, pairs = one.found.gains_b, done.rows(MAIN)
        where, other = (gains.right, gains.elsewhere) if of_on else (gains.elsewhere, gains.right)
        assert (where.pairs, other.pairs) == (sum(b < a for _, a, b in pairs), 0)
        assert where.difference == pytest.approx(sum(b - a for _, a, b in pairs if b < a) / len(pairs), abs=1e-12)
        (said,) = (line for line in sentences(done.chapter) if line.startswith(MAIN) and "right place in" in line)
        assert ("elsewhere" in said) == (not of_on)


def test_a_gain_lies_in_results_or_in_turns(studies):
    """Who only needs the results answers the same when they are handed back; of turns there are none then."""
    for model in ("faithful", "copier", "burner"):
        done = studies[model]
        on, handed = done.arms["on"], done.arms["result-only"]
        same = sum(on[one].loss == handed[one].loss for one in on)
        assert done.contrast(RESULT_ON).same_answers == (same, len(on))
        assert same == (0 if model == "burner" else len(on))
        (said,) = (line for line in sentences(done.chapter) if line.startswith(f"{RESULT_ON}: own results handed"))
        assert f"both arms answer the same in {same} of {len(on)} samples" in said


def test_what_misleads_harms_who_trusts_pictures_and_nobody_else(studies):
    for model, harmed in (("faithful", True), ("copier", False)):
        arms = {name: np.mean([one.loss for one in own.values()]) for name, own in studies[model].arms.items()}
        assert (arms["misled"] > arms["off"] > arms["on"]) == harmed
        assert (arms["misled"] == arms["on"]) != harmed


def test_a_larger_image_is_worth_something_and_less_than_a_look_closer(studies):
    losses = {name: np.mean([one.loss for one in own.values()]) for name, own in studies["faithful"].arms.items()}
    assert losses["on"] < losses["matched:enlarged"] < losses["off"]


@pytest.mark.parametrize(("model", "arm"), [("faithful", "on"), ("faithful", "misled"), ("copier", "on")])
def test_a_loss_is_seeing_in_the_right_place_and_another_object_elsewhere(studies, model, arm):
    done = studies[model]
    own, found = done.arms[arm].values(), done.chapter.parts[arm]["distance"]
    assert {one.right for one in own} <= {True, False}
    parts = {str(cause): part.mean for cause, part in found.parts.items()}
    planted = {
        "wrong object": np.mean([0.0 if one.right else one.loss for one in own]),
        "seeing": np.mean([one.loss if one.right else 0.0 for one in own]),
        "arithmetic": 0.0,
        "unit": 0.0,
    }
    assert parts == pytest.approx(planted, abs=1e-4)  # the answer has three decimals
    assert sum(parts.values()) == pytest.approx(np.mean([one.loss for one in own]), abs=1e-9)
    share = parts["wrong object"] / sum(parts.values())
    assert share == pytest.approx(1.0, abs=1e-3) if model == "copier" else (share > 0) == (arm == "misled")


def test_the_gain_of_the_model_that_cannot_reckon_is_arithmetic(studies):
    done = studies["reckoner"]
    losses = {arm: np.mean([one.loss for one in done.arms[arm].values()]) for arm in ("off", "on")}
    assert losses["on"] < 1e-4
    assert losses["off"] > 0.2
    off = {str(cause): part.mean for cause, part in done.chapter.parts["off"]["distance"].parts.items()}
    assert off == pytest.approx({"wrong object": 0, "seeing": 0, "arithmetic": losses["off"], "unit": 0}, abs=1e-4)
    # An image that was enlarged has the true ends elsewhere, and smaller pixels: seen right, what is left is reckoning.
    larger = {str(cause): part.mean for cause, part in done.chapter.parts["matched:enlarged"]["distance"].parts.items()}
    whole = np.mean([one.loss for one in done.arms["matched:enlarged"].values()])
    assert whole > 0.2
    assert larger == pytest.approx({"wrong object": 0, "seeing": 0, "arithmetic": whole, "unit": 0}, abs=0.01)
    (both,) = (one.found for one in done.chapter.parted if one.contrast == MAIN)
    parts = {str(cause): part.mean for cause, part in both.parts.items()}
    gain = losses["on"] - losses["off"]
    assert parts == pytest.approx({"wrong object": 0, "seeing": 0, "arithmetic": gain, "unit": 0}, abs=1e-4)
    (said,) = (line for line in sentences(done.chapter) if line.startswith(MAIN) and "of the gain" in line)
    assert said.endswith("is arithmetic.")
    assert "seeing" not in said


def test_of_answers_that_use_nothing_measured_no_part_is_told(studies):
    done = studies["prior"]
    for arm in ("on", "blind"):
        whole = np.mean([one.loss for one in done.arms[arm].values()])
        parts = {str(cause): part.mean for cause, part in done.chapter.parts[arm]["distance"].parts.items()}
        assert parts == {"not decomposed": pytest.approx(whole, abs=1e-12)}
    assert not [line for line in sentences(done.chapter) if "of the gain" in line or "of the harm" in line]


def test_the_gain_of_the_burner_is_bought_by_turns(studies):
    for name, more in (("burner", "again:3"), ("burner.matched", "matched")):
        done = studies[name]
        tokens = {arm: {one.tokens for one in own.values()} for arm, own in done.arms.items()}
        assert tokens == {"off": {100}, "on": {400}, "blind": {400}, more: {400}} | HANDED.get(name, {})
        effort = {one.arm: one.effort.output_tokens.mean for one in done.chapter.tasks[0].arms}
        assert effort == {arm: sum(own) for arm, own in tokens.items()}
        said = [line for line in sentences(done.chapter) if "ompute was " in line]
        (off,) = (line for line in said if line.startswith(MAIN))
        assert "Compute was not matched between arms. Per sample on took 4.00 times the tokens out" in off
    (matched,) = (line for line in said if line.startswith(MATCHED_ON))
    assert "Compute was matched in output tokens alone" in matched
    assert "Per sample on took 1.00 times the tokens out" in matched
    assert not [line for line in said if "was matched in" in line and not line.startswith(MATCHED_ON)]


def test_the_model_that_fails_rarely_does_fail(studies):
    """Of the questions of the study it failed in none; of 6,000 others in one of a hundred, and nothing is gained."""
    assert all(one.answered for one in studies["rarely"].arms["on"].values())
    picture = np.full((80, 96), 30)
    picture[16, 20:60] = 240
    base = Scene("rarely", "", picture, tools=True)
    differences = []
    for number in range(6_000):
        scene = replace(base, question=f"image {number}: width_mm_per_px = 1.000")
        losses = [loss(replace(scene, tools=tools)) for tools in (False, True)]
        differences.append(losses[1] - losses[0])
    assert np.mean(np.array(differences) > 0.5) == pytest.approx(FAILS, rel=0.3)
    assert np.mean(differences) == pytest.approx(0.0, abs=0.003)


def loss(scene: Scene) -> float:
    """Return the loss of an answer about a bar of 40 mm."""
    play = POLICIES[scene.plant](scene)
    try:
        next(play)
        play.send(Shown({}))
    except StopIteration as done:
        found = str(done.value).partition("<answer>")[2].partition("</answer>")[0]
        return abs(float(found) - 40) / 40 if found else 1.0
    raise AssertionError(scene)
