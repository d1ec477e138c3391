"""A grammar of tool calls in text as what a study varies, and as an option of a run."""

import json

import pytest
from click.testing import CliRunner
from identities import an_identity

from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan

CALL = {"name": "ruler", "arguments": {"view": "v0", "x0": 0, "y0": 0, "x1": 1, "y1": 0}}
SAID = [f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>", "<answer>10.0</answer>"]


@pytest.fixture
def models(tmp_path):
    """Write models that say what they are told to, and call tools in text, or do not."""
    (tmp_path / "said.json").write_text(json.dumps(SAID))
    row = f"provider: offline, name: scripted, script: {tmp_path / 'said.json'}"
    path = tmp_path / "models.yaml"
    path.write_text(f"text: {{{row}, tool_calling: text}}\nnative: {{{row}}}\n")
    return path


def invoke(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_study_varies_the_grammar_and_its_arms_are_alike_in_all_else(tmp_path, models):
    study = tmp_path / "s.yaml"
    study.write_text(
        "name: s\nmodels: [text]\nmodels_file: models.yaml\ntasks: [distance]\nlimit: 2\n"
        "base: {tools: 'crop,ruler'}\ndesigns: [on-off, 'grammar:hermes']\n"
    )
    done = invoke("ablate", study, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    runs = {cell.arm: open_run(tmp_path / "out" / cell.folder) for cell in read_plan(tmp_path / "out").cells}
    assert {arm: run.identity.model["grammar"] for arm, run in runs.items()} == {
        "off": "plain", "on": "plain", "hermes": "hermes"
    }  # fmt: skip
    assert [len(record.tool_uses) for record in runs["hermes"].records] == [1, 1]
    assert runs["on"].records[0].prompt_sha256 == runs["hermes"].records[0].prompt_sha256
    differ = {name for name, _, _ in runs["on"].identity.differences(runs["hermes"].identity)}
    assert differ == {"model", "tool_paragraph_sha256"}
    assert check_parity(tmp_path / "out") == []
    assert any("tool calls in hermes" in line for line in runs["hermes"].facts)


@pytest.mark.parametrize(
    ("model", "grammar", "said"),
    [
        ("native", "hermes", "--grammar hermes: model 'native' calls tools by the service's own function calling"),
        ("text", "hermse", "unknown grammar 'hermse'; known: hermes, medvision, plain. Did you mean 'hermes'?"),
    ],
)
def test_a_grammar_that_cannot_be_is_refused_before_anything_is_asked(tmp_path, models, model, grammar, said):
    words = ("run", "--model", model, "--models", models, "--grammar", grammar, "--out", tmp_path / "run")
    error = invoke(*words).exception
    assert isinstance(error, ConfigError)
    assert said in str(error)
    assert not (tmp_path / "run").exists()


def test_rows_stored_before_there_were_grammars_were_plain():
    before = an_identity(model={"name": "m", "tool_calling": "text"})
    assert list(before.differences(an_identity(model={"name": "m", "tool_calling": "text", "grammar": "plain"}))) == []
    assert list(before.differences(an_identity(model={"name": "m", "tool_calling": "text", "grammar": "hermes"})))
    native = Identity.model_validate(an_identity(model={"name": "m", "tool_calling": "native"}).model_dump())
    assert "grammar" not in native.model
