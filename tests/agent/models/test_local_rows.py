"""Rows of models in this process that need no extra to be checked: settings, and what is said without the extra."""

import subprocess
import sys

import pytest
from commands import PYTHON

from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.errors import ConfigError

ROW = "mine: {provider: transformers, model: owner/name, perceived: {rule: native}"


def written(folder, more=""):
    path = folder / "mine.yaml"
    path.write_text(f"{ROW}{more}}}\n")
    return path


def test_defaults_and_samples_in_flight(tmp_path):
    config = load_catalogue(written(tmp_path))["mine"]
    assert (config.batch_size, config.max_connections, config.max_output_tokens) == (1, 1, 4096)
    assert (config.temperature, config.device, config.dtype, config.max_tries) == (None, "auto", "auto", 1)
    assert load_catalogue(written(tmp_path, ", batch_size: 6"))["mine"].max_connections == 6
    assert load_catalogue(written(tmp_path, ", batch_size: 6, max_connections: 2"))["mine"].max_connections == 2
    assert config.identity()["model"] == "owner/name"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (", seed: 1", "temperature"),
        (", temperature: 0, top_p: 0.5", "temperature"),
        (", images_in_tool_result: true", "images_in_tool_result"),
        (", trust_remote_code: true", "no such setting"),
        (", device: gpu", "device"),
        (", dtype: int8", "dtype"),
        (", base_url: 'http://x'", "no such setting"),
    ],
)
def test_settings_that_cannot_be(tmp_path, more, words):
    with pytest.raises(ConfigError, match=words):
        load_catalogue(written(tmp_path, more))


def test_without_the_extra_one_line_says_how_to_install_it(tmp_path):
    path = written(tmp_path)
    for hidden in ("torch", "transformers"):
        code = (
            f"import sys; sys.modules[{hidden!r}] = None\n"
            f"sys.argv = ['medvision-agent', 'run', '--model', 'mine', '--models', {str(path)!r}, '--out', 'run']\n"
            "from medvision_agent.cli.main import main\n"
            "main()"
        )
        done = subprocess.run([PYTHON, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert hidden in done.stderr
        assert "pip install 'medvision-agent[local]'" in done.stderr
        assert not (tmp_path / "run").exists()


def test_the_list_says_what_is_missing(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from medvision_agent.cli.main import cli

    monkeypatch.setitem(sys.modules, "torch", None)
    listed = CliRunner().invoke(cli, ["models", "list", "--models", str(written(tmp_path))], catch_exceptions=False)
    line = next(line for line in listed.output.splitlines() if line.startswith("mine "))
    assert "not ready" in line
    assert "pip install 'medvision-agent[local]'" in line
