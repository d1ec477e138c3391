"""The file of what checks of models found: who it is about, and that it never stands in the way."""

import json

import pytest

from medvision_agent.agent.check import Check
from medvision_agent.agent.checks import checked_as, keep, standing, state_file
from medvision_agent.agent.models import MODEL_CONFIG


def row(**fields):
    usual = {"provider": "openai", "model": "m", "base_url": "http://host/v1", "api_key_env": "SECRET_KEY"}
    return MODEL_CONFIG.validate_python(usual | fields)


def check(**findings):
    made = Check(versions=("m-2026",))
    for what, ok in findings.items():
        made.found(what, ok, "words of a server")
    return made


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "checks.json"


def test_what_a_server_said_it_is_is_kept_for_the_row(file):
    assert checked_as("mine", row(), file) is None
    keep("mine", row(), check(reachable=True), file)
    found = checked_as("mine", row(frame="norm1000-yx"), file)
    assert found is not None
    assert found["served"] == "m-2026"
    assert checked_as("mine", row(base_url="http://other/v1"), file) is None


def test_a_row_was_not_checked_failed_or_passed(file):
    (line,) = standing("mine", row(), file)
    assert line.startswith("model mine: not checked yet")
    assert line.endswith("medvision-agent models check mine")
    assert keep("mine", row(), check(reachable=True, tools=False, usage=None), file) == ""
    (line,) = standing("mine", row(), file)
    assert "of m-2026 failed: tools; details: medvision-agent models check mine" in line
    keep("mine", row(), check(reachable=True, usage=None), file)
    assert standing("mine", row(), file) == []


@pytest.mark.parametrize(
    "other", [{"base_url": "http://other/v1"}, {"tool_calling": "text"}, {"model": "n"}, {"system_role": "fold"}]
)
def test_another_endpoint_or_row_was_not_checked(file, other):
    keep("mine", row(), check(reachable=True), file)
    assert standing("mine", row(), file) == []
    assert "not checked yet" in standing("mine", row(**other), file)[0]
    assert "not checked yet" in standing("yours", row(), file)[0]


def test_what_a_run_sets_otherwise_is_the_same_row(file):
    keep("mine", row(), check(reachable=True), file)
    assert standing("mine", row(frame="norm1000-yx", perceived={"rule": "native"}, max_tries=2), file) == []


def test_another_version_of_ours_was_not_checked(file, monkeypatch):
    keep("mine", row(), check(reachable=True), file)
    monkeypatch.setattr("medvision_agent.agent.checks.VERSION", "99")
    assert "not checked yet" in standing("mine", row(), file)[0]


def test_no_key_and_no_word_of_a_server_is_stored(file, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "sk-0123456789")
    keep("mine", row(), check(reachable=True, tools=False), file)
    text = file.read_text()
    assert "sk-0123456789" not in text
    assert "words of a server" not in text
    assert [path.name for path in file.parent.iterdir()] == ["checks.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"checks": {"a": {"row": 3}}}'])
def test_a_file_that_cannot_be_read_counts_as_none_with_one_line(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    first, second = standing("mine", row(), file)
    assert "earlier checks of models are not known" in first
    assert "not checked yet" in second
    assert "cannot be read" in keep("mine", row(), check(reachable=True), file)
    assert standing("mine", row(), file) == []
    assert len(json.loads(file.read_text())["checks"]) == 1


def test_a_file_that_cannot_be_written_is_said_and_no_error(tmp_path):
    (tmp_path / "no folder").write_text("")
    problem = keep("mine", row(), check(reachable=True), tmp_path / "no folder" / "checks.json")
    assert problem.startswith("the result of the check is not stored, because the file ")


def test_the_file_does_not_grow_for_ever(file, monkeypatch):
    monkeypatch.setattr("medvision_agent.agent.checks._MOST", 2)
    for name in ("a", "b", "c"):
        keep(name, row(), check(reachable=True), file)
    assert [one["row"] for one in json.loads(file.read_text())["checks"].values()] == ["b", "c"]


def test_offline_policies_need_no_check(file):
    assert standing("cv", MODEL_CONFIG.validate_python({"provider": "offline", "name": "cv"}), file) == []


def test_the_file_lies_in_the_users_folder_for_state():
    assert state_file({"XDG_STATE_HOME": "/state"}).as_posix() == "/state/medvision-agent/checks.json"
    assert state_file({}).name == "checks.json"
