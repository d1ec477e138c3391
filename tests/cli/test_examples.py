"""Every row of examples/models runs against a server of its interface, with and without tools, by YAML alone."""

import json
from pathlib import Path

import pytest
import yaml
from fake.replies import calls, text

from medvision_agent.agent.models.catalogue import VARIABLE
from medvision_agent.eval.store.read import open_run

EXAMPLES = Path(__file__).parents[2] / "examples" / "models"
ROWS = {
    name: path for path in sorted(EXAMPLES.glob("*.yaml")) for name in yaml.safe_load(path.read_text(encoding="utf-8"))
}
RULER = {"view": "v0", "x0": 10, "y0": 20, "x1": 30, "y1": 20}
RELATIVE = {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.5, "y1": 0.5}
KEYS = dict.fromkeys(("GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "key-of-this-test")


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name].stem in ("google", "openai", "servers")])
async def test_a_row_by_yaml_alone(server, data, call, tmp_path, name):
    row = yaml.safe_load(ROWS[name].read_text(encoding="utf-8"))
    settings = row[name] if "extends" not in row[name] else row[row[name]["extends"]] | row[name]
    url = server.gemini_url if settings["provider"] == "gemini" else server.openai_url
    (tmp_path / "here.yaml").write_text(json.dumps({name: {"extends": name, "base_url": url}}), encoding="utf-8")
    environ = KEYS | {VARIABLE: str(ROWS[name])}
    arguments = RULER if settings.get("frame") in ("pixel", "norm1000-yx") else RELATIVE
    in_text = settings.get("tool_calling") == "text"
    fenced = f"```tool_call\n{json.dumps({'name': 'ruler', 'arguments': arguments})}\n```"
    first = text(fenced) if in_text else calls(("ruler", arguments))
    for arm, replies in (("on", [first, text("<answer>10.0</answer>")]), ("off", [text("<answer>9.0</answer>")])):
        server.script(replies, by_turn=True)
        words = ("run", "--model", name, "--models", tmp_path / "here.yaml", "--data", data, "--tools", arm)
        code, _, err = await call(*words, "--limit", 2, "--out", tmp_path / arm, **environ)
        assert code == 0, err
    used = [use for record in open_run(tmp_path / "on").records for use in record.tool_uses]
    assert [(use.tool, use.ok) for use in used] == [("ruler", True)] * 2
    assert [record.response for record in open_run(tmp_path / "off").records] == ["<answer>9.0</answer>"] * 2
    code, _, err = await call("compare", tmp_path / "off", tmp_path / "on")
    assert code == 0, err


async def test_a_langchain_row_says_which_package_is_missing(data, call, tmp_path):
    words = ("run", "--model", "my-claude", "--models", EXAMPLES / "langchain.yaml", "--data", data)
    code, _, err = await call(*words, "--out", tmp_path / "run", **KEYS)
    assert code == 2
    assert "langchain_anthropic:ChatAnthropic cannot be imported" in err
    assert not (tmp_path / "run").exists()


def test_every_example_is_looked_at():
    looked = {"google", "openai", "servers", "langchain", "in-process"}
    assert {path.stem for path in ROWS.values()} == looked
