"""The snippets of docs/sharing.md work on a stored run; what they hand to W&B and MLflow is of the types these take.

Neither package is a dependency. Modules that record what is called stand for them here.
"""

import math
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from commands import COMMAND

PAGE = (Path(__file__).parents[1] / "docs/sharing.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    home = tmp_path_factory.mktemp("tracked")
    words = [COMMAND, "run", "--model", "baseline-cv", "--limit", "1", "--tools", "on", "--out", home / "runs/on"]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    return home


def snippet(title):
    return re.search(r"```python\n(.*?)```", PAGE.split(f"## {title}\n")[1], re.DOTALL)[1]


def test_a_run_is_logged_to_weights_and_biases(stored, monkeypatch):
    logged = {}
    log = SimpleNamespace(summary=SimpleNamespace(update=logged.update), log=logged.update)
    wandb = ModuleType("wandb")
    wandb.init = lambda *, project, name, config: nullcontext(logged.update(config=config) or log)
    wandb.Table = lambda *, dataframe: dataframe
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.chdir(stored)
    exec(snippet("Weights & Biases"), {})  # noqa: S102 - our own page
    assert logged["config"]["model_name"] == "baseline-cv"
    assert {name for name in logged if name.startswith("loss/")} == {
        "loss/detection",
        "loss/size",
        "loss/distance",
        "loss/angle",
    }
    assert all(type(logged[name]) is float and math.isfinite(logged[name]) for name in logged if "/" in name)
    assert (len(logged["samples"]), logged["samples"].dtypes.nunique()) == (4, 1)


def test_a_run_is_logged_to_mlflow(stored, monkeypatch):
    logged = {}
    mlflow = ModuleType("mlflow")
    mlflow.set_experiment = lambda name: None
    mlflow.start_run = lambda *, run_name: nullcontext(run_name)
    mlflow.log_params = mlflow.log_metrics = logged.update
    mlflow.log_table = lambda data, artifact_file: logged.update({artifact_file: data})
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.chdir(stored)
    exec(snippet("MLflow"), {})  # noqa: S102 - our own page
    assert logged["condition"] == "on"
    assert type(logged["loss_size"]) is float
    assert len(logged["samples.json"]["response"]) == 4


def test_the_commands_of_the_page_are_there(stored):
    done = subprocess.run([COMMAND, "share", "--help"], capture_output=True, text=True, check=True, timeout=60)
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) - {"--data"}
    assert options
    assert {one for one in options if one not in done.stdout} == set()
