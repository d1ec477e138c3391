"""Every setting changes exactly what it says it changes, is stored, asked again, and has an option."""

import json
import os
import sys
from pathlib import Path
from shutil import copytree

import pytest
import segmenters
from identities import an_identity

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.limits import Limits
from medvision_agent.cli import rerun as rerun_command
from medvision_agent.cli import run as run_command
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.settings.settings import TOOL_FIELDS, Asked, Settings, belongs
from medvision_agent.eval.study.schema import VARIES, Arm
from medvision_agent.tools.own.skeleton import write_skeleton

DATA = Path(__file__).parents[2] / "data/medvision-mini/Data"
LENDER = Path(__file__).parents[2] / "agent/upstream/lender"
BASE = {"model": "baseline-cv", "selection": Selection(tasks=("distance",), limit=1)}
ROW = {"provider": "offline", "name": "prior"}
OTHER = {
    "tools": "blind",
    "tools_dated": "2026-11",
    "picture": "blank",
    "recipe": "paper-v1",
    "form": "cot",
    "frame": "pixel",
    "grammar": "hermes",
    "prompt_file": "prompts.yaml",
    "wording": 3,
    "words": "upstream",
    "upstream_python": "other-python",
    "tool_order": 7,
    "spacing": "tool",
    "display": "grid",
    "overlays": False,
    "paragraph": "must-use",
    "model": "baseline-prior",
    "row": ROW,
    "models_file": "models.yaml",
    "tools_from": "mine.py",
    "segmenter": "",
    "script": "script.json",
    "data": "phantom:3:1",
    "selection": Selection(tasks=("distance",), limit=2),
    "reading": Reading(filters=False),
    "reshape": (40, 50),
    "limits": Limits(tool_calls=3),
    "budget": Budget(seconds=600),
    "max_connections": 3,
    "processes": 2,
    "engine": "ray",
    "address": "auto",
    "gpus": 0.5,
    "probe": False,
    "unchecked": ("pixel-size",),
    "out": "elsewhere",
    "resume": True,
}
"""Another value of every setting."""
MEDVISION = {"data": f"medvision:{DATA}", "selection": Selection(tasks=("size",), limit=1)}
"""Settings in which upstream's words count."""
SERVED = {"tools": "segment@server"}
"""Settings in which the segmenter counts."""
OF_RECORDS = {"prompt_sha256", "v0_sha256"}
"""Hashes that stand in the records, not in the identity."""
NAMES = tuple(Settings.model_fields)


@pytest.fixture(scope="module", autouse=True)
def server():
    """Two segmenters, of different name."""
    with segmenters.served() as address, pytest.MonkeyPatch.context() as patch:
        patch.setitem(SERVED, "segmenter", f"{address}/good")
        patch.setitem(OTHER, "segmenter", f"{address}/other")
        yield


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{LENDER}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    copytree(LENDER, tmp_path / "later")
    (tmp_path / "later/medvision_bm-0.1.dist-info/METADATA").write_text("Name: medvision-bm\nVersion: 0.2\n")
    (tmp_path / "later/medvision_bm/sft/sft_prompts.py").write_text('FORM = "Reply."\n')
    (tmp_path / "other-python").write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path / "later"} exec {sys.executable} "$@"\n')
    (tmp_path / "other-python").chmod(0o755)
    (tmp_path / "prompts.yaml").write_text("distance: How long? <answer>mm</answer>\ntools: '{{ names }}'\n")
    (tmp_path / "models.yaml").write_text(f"mine: {json.dumps(ROW)}\n")
    write_skeleton("mine", tmp_path)
    (tmp_path / "script.json").write_text('["<answer>1</answer>"]')


def base(name: str) -> Settings:
    """Return settings in which *name* can be changed alone."""
    scripted = {"model": "scripted", "row": {"provider": "offline", "name": "scripted", "script": "other.json"}}
    in_text = {"row": {"provider": "offline", "name": "cv", "tool_calling": "text"}}
    lent = {"words": MEDVISION, "upstream_python": MEDVISION | {"words": "upstream"}}
    special = {"script": scripted, "grammar": in_text, "segmenter": SERVED, **lent}
    return Settings.model_validate(BASE | special.get(name, {}))


def flat(identity) -> dict:
    """Return an identity with ``model`` and ``limits`` taken apart."""
    found = identity.plain()
    apart = {f"{part}.{key}": value for part in ("model", "limits") for key, value in found.pop(part).items()}
    return found | apart


def within(field: str, declared: frozenset[str]) -> bool:
    return field in declared or field.partition(".")[0] in declared


def test_every_setting_has_another_value_here():
    assert set(OTHER) == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "reading"])
def test_a_setting_changes_what_it_declares_and_nothing_else(name, tmp_path):
    (tmp_path / "other.json").write_text('["<answer>2</answer>"]')
    before, after = base(name), base(name).but(**{name: OTHER[name]})
    declared = belongs(Settings)[name]
    then, now = (flat(prepare(one, asking=False).identity) for one in (before, after))
    changed = {field for field in then.keys() | now.keys() if then.get(field) != now.get(field)}
    assert {field for field in changed if not within(field, declared.changes)} == set()
    if declared.to == "neither":
        assert not changed
        assert not declared.changes
    else:
        assert changed
        assert (declared.changes - OF_RECORDS <= TOOL_FIELDS) == (declared.to == "condition")


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_stored_and_asked_again(name, tmp_path):
    (tmp_path / "other.json").write_text('["<answer>2</answer>"]')
    settings = base(name).but(**{name: OTHER[name]})
    # MedVision's data alone is read in a way of its own; what is stored of it needs no data.
    prepared = prepare(settings.but(reading=Reading()), asking=False)
    config = json.loads(json.dumps(prepared.config() | settings.stored()))
    again = Settings.read(config | {"max_connections": settings.max_connections})
    kept = {"row", "out", "resume"}
    assert again.model_dump(exclude=kept) == settings.model_dump(exclude=kept)
    assert again.row == prepared.model
    if name not in {"reading", *kept}:
        assert prepare(again.but(out=settings.out), asking=False).identity == prepared.identity


def test_what_version_0_1_0_stored_is_enough():
    config = prepare(Settings.model_validate(BASE), asking=False).config()
    for later in ("budget", "frame", "script", "models_file", "tools_from", "tools_dated", "segmenter"):
        del config[later]
    then = Settings.model_validate(BASE | {"tools_dated": "2026-11"})
    assert Settings.read(config).but(row=None, max_connections=None) == then
    del config["data"]
    with pytest.raises(KeyError, match="data"):
        Settings.read(config)


@pytest.mark.parametrize(
    ("condition", "control", "month"),
    [
        ("on", "", "2026-11"),
        ("blind:all", "blind:all", "2026-11"),
        ("sham/on", "sham", "2026-11"),
        ("blind:all/ruler", "blind:all", ""),
        ("crop,ruler", "", ""),
        ("off", "", ""),
        ("again:2", "", ""),
    ],
)
def test_the_tools_of_version_0_1_0_have_their_set(condition, control, month):
    fields = an_identity(condition=condition, control=control, tool_set="2026-11").plain()
    del fields["tool_set"], fields["tool_code_sha256"]
    found = Identity.model_validate(fields)
    assert (found.tool_set, found.tool_code_sha256) == (month, {})
    assert found.control == control.replace("sham", "misled")
    assert found.condition == condition.replace("sham", "misled")
    now = Condition.parse(f"on@{month}" if month else "off")
    assert now.tool_set == month


@pytest.mark.parametrize("command", [run_command.command, rerun_command.command], ids=["run", "rerun"])
def test_every_setting_has_an_option(command):
    parts = {"selection": "limit", "reading": "no_filters", "limits": "max_tool_calls", "budget": "max_cost"}
    options = {parameter.name for parameter in command.params}
    assert {parts.get(name, name) for name in NAMES if name != "row"} <= options


def test_an_arm_varies_what_it_has():
    keys = {key for varied in VARIES.values() for key in varied.keys}
    assert keys == set(Arm.model_fields) | {"enlarged"}  # which the tools of an arm say
    assert set(Asked.model_fields) < set(Arm.model_fields)
    assert VARIES["limits"].keys == ("max_tool_calls", "max_model_calls")
    assert VARIES["tools"].changes <= TOOL_FIELDS
    assert "limits.tool_calls" not in VARIES["frame"].changes
