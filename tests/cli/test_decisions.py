"""``decisions``: two stored runs with planted decisions, golden answers by another route, and what is refused."""

import bisect
import json
import sys

import golden
import numpy as np
import pytest
from told.again import KIDNEY_OFF, KIDNEY_ON, kidney_run

import medvision_agent as mva
from medvision_agent.cli.main import main
from medvision_agent.errors import ConfigError

GOLDEN = golden.GOLDEN / "v1.2/ad"


@pytest.fixture
def runs(tmp_path):
    on = kidney_run(tmp_path / "on", KIDNEY_ON, 0.03, ["ruler"], called=False)
    return kidney_run(tmp_path / "off", KIDNEY_OFF, 0.01), on


def called(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["medvision-agent", "decisions", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capsys.readouterr()


def test_what_was_planted_is_counted_turned_and_priced(runs):
    found = mva.decisions(*runs).to_json()
    off, on = (arm["decisions"][0] for arm in found["arms"])
    assert off["counts"] == [[0, 6, 0, 0], [0, 6, 0, 0], [0, 0, 6, 0], [0, 0, 0, 0]]
    assert on["counts"] == [[6, 0, 0, 0], [0, 6, 0, 0], [0, 6, 0, 0], [0, 0, 0, 6]]
    assert (off["n"], off["answered"], off["coverage"], off["right"]["value"]) == (24, 18, 0.75, 0.5)
    assert (on["coverage"], on["right"]["value"]) == (1.0, 0.75)
    assert off["right"]["interval"][0] < 0.5 < off["right"]["interval"][1]
    (turned,) = found["turned"]
    counts = [turned[name] for name in ("pairs", "turned_right", "turned_wrong", "both_right", "neither")]
    assert counts == [24, 12, 6, 6, 0]
    assert turned["net"]["value"] == pytest.approx(0.25)
    assert turned["more_usd"] == pytest.approx(24 * 0.02)
    assert turned["per_dollar"] == pytest.approx(6 / 0.48)


def test_a_person_reads_the_table_the_source_and_the_price(runs, monkeypatch, capsys):
    code, out, err = called(monkeypatch, capsys, *runs)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "T1a up to 40 mm, T1b up to 70 mm, T2a up to 100 mm, T2b above 100 mm" in words
    assert "TNM" in words
    assert "an answer in 75.0% (18)" in words
    assert "on turns 12 right and 6 wrong; 6 are right in both, 0 in neither. Net +25.0 points." in words
    assert "no interval: on: no tool was called in any of 24 samples" in words
    assert "Price: 0.4800 US dollars more; net +12.50 right decisions for each dollar." in words


def test_runs_that_differ_in_more_than_tools_are_refused_and_one_alone_is_not(runs, tmp_path):
    other = kidney_run(tmp_path / "other", KIDNEY_ON, 0.03, ["ruler"], recipe="paper-v1")
    with pytest.raises(ConfigError, match="differ in more than their tools"):
        mva.decisions(runs[0], other)
    assert len(mva.decisions(other).arms) == 1


def test_golden_answers_are_sorted_as_upstream_reads_them():
    """By another route: the numbers that upstream's parser found, the limits by bisection."""
    limits = {"A-L_1_2-L_2_5": (80.0, 84.0), "A-L_1_2-L_2_6": (78.0, 82.0), "A-L_2_5-L_2_6": (4.0,)}
    counts = {key: [[0] * (len(own) + 1) for _ in range(len(own) + 1)] for key, own in limits.items()}
    read = {row["id"]: row for row in golden.rows(GOLDEN / "expected_samples.jsonl.gz")}
    for row in golden.rows(GOLDEN / "inputs.jsonl.gz"):
        doc, upstream = row["doc"], read[row["id"]]
        key = doc["biometric_profile"]["metric_key"]
        if doc["dataset_name"] == "Ceph-Biometrics-400" and key in limits and upstream["success"]:
            values = (float(str(row["target"]).strip("[]")), float(np.float32(upstream["extracted"])))
            true, stated = (place(value, limits[key]) for value in values)
            counts[key][true][stated] += 1
    found = {
        one.rule.name: [list(row) for row in one.counts]
        for one in mva.decisions(GOLDEN / "inputs.jsonl.gz").arms[0].found
    }
    assert found == dict(zip(("SNA", "SNB", "ANB"), counts.values(), strict=True))
    assert sum(map(sum, found["SNB"])) > 30


def test_a_file_of_boxes_has_nothing_to_sort_and_says_so(monkeypatch, capsys):
    code, out, err = called(monkeypatch, capsys, golden.GOLDEN / "v1.2/detection/inputs.jsonl.gz")
    assert (code, out) == (2, "")
    assert "no answer can be sorted into categories (all answers are boxes)" in " ".join(err.split())


def test_nobody_is_not_a_number_of_subjects(tmp_path, monkeypatch, capsys):
    row = next(
        row for row in golden.rows(golden.GOLDEN / "v1.2/tl/inputs.jsonl.gz") if row["label_name"] == "kidney tumor"
    )
    file = tmp_path / "20260101_000000_samples_x.jsonl"
    file.write_text(json.dumps(row | {"doc": {name: own for name, own in row["doc"].items() if name != "image_file"}}))
    code, out, err = called(monkeypatch, capsys, file)
    assert code == 0, err
    assert "of 1 sample of unknown subjects;" in " ".join(out.split())


def test_images_that_stand_for_subjects_and_forms_that_are_mixed_are_said():
    facts = mva.decisions(GOLDEN / "inputs.jsonl.gz").arms[0].facts
    assert any("the subject: the image file stands for it" in fact for fact in facts)
    assert any("note: answers asked in several forms, here together" in fact for fact in facts)


def place(value, limits):
    """Return the category of a value; the lower one of two limits belongs to what is above it."""
    at = bisect.bisect_left(limits, value)
    return at + (len(limits) == 2 and value == limits[0])
