"""The shipped rows, a user's own, what is complained about, and what is missing before a run."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.models.catalogue import find, load_catalogue
from medvision_agent.agent.providers.factory import check_ready, open_model
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError
from medvision_agent.eval.published.versions import versions
from medvision_agent.tools.view.geometry import Size


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_shipped_models():
    catalogue = load_catalogue()
    assert {"gemini-2.5-flash", "gemini-2.5-pro", "gpt-5.4", "baseline-prior", "baseline-cv", "oracle"} <= set(
        catalogue
    )
    flash = catalogue["gemini-2.5-flash"]
    assert (flash.temperature, flash.thinking_budget, flash.media_resolution) == (None, -1, "high")
    assert flash.perceived.perceived(Size(6144, 3072)) == Size(3072, 1536)
    assert catalogue["gpt-5.4"].perceived.perceived(Size(4096, 4096)) == Size(1600, 1600)
    for name, config in catalogue.items():
        again = MODEL_CONFIG.validate_python(json.loads(config.model_dump_json()))
        assert again == config, name


def test_every_published_system_has_a_row():
    catalogue = load_catalogue()
    rows = {name for version in versions() for table in version.tables for row in table.rows for name in row.models}
    assert len(rows) == 24
    for name in rows:
        assert catalogue[name].perceived is not None
        assert catalogue[name].exercised, name


def test_identity_is_what_is_run():
    flash = load_catalogue()["gemini-2.5-flash"]
    patient = flash.model_copy(
        update={
            "timeout_seconds": 9,
            "max_tries": 1,
            "max_connections": 1,
            "prices": None,
            "note": "x",
            "api_key_env": "A",
        }
    )
    assert patient.identity() == flash.identity()
    for change in ({"temperature": 0.0}, {"thinking_budget": 0}, {"base_url": "http://x"}, {"frame": "other"}):
        assert flash.model_copy(update=change).identity() != flash.identity()
    assert json.loads(json.dumps(flash.identity())) == flash.identity()


def test_a_setting_of_another_provider_is_not_suggested(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_catalogue(written(tmp_path, "a: {provider: openai, model: m, thinking_budget: 0}"))
    assert "thinking_budget: no such setting; leave it out" in str(caught.value)
    assert "mean 'thinking_budget'" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        "{default_headers: {Authorization: x}}",
        "{default_headers: {X-Api-Key: x}}",
        "{client: [{auth_token: x}]}",
        "{default_headers: {X-Custom: Bearer abcdefgh}}",
        "{header: sk-abcdefgh}",
        "{url: 'https://me:word@host'}",
        "{client_secret: x}",
    ],
)
def test_keys_within_free_settings_are_refused(tmp_path, settings):
    for row in ("provider: langchain, factory: 'a:b', settings", "provider: openai, extra_body"):
        with pytest.raises(ConfigError, match="looks like an API key"):
            load_catalogue(written(tmp_path, f"a: {{model: m, {row}: {settings}}}"))
    load_catalogue(written(tmp_path, "a: {provider: openai, model: m, extra_body: {max_tokens: 5, tokens: [Bearers]}}"))


def test_a_row_cannot_steer_the_terminal_it_is_listed_on(tmp_path):
    path = written(tmp_path, r""""a\e[31mred": {provider: openai, model: "m\e]0;t\a", api_key_env: null}""")
    listed = CliRunner().invoke(cli, ["models", "list", "--models-file", str(path)]).output
    assert CliRunner().invoke(cli, ["models", "list", "--models", str(path)]).output == listed  # its earlier name
    assert "--models " not in CliRunner().invoke(cli, ["models", "list", "--help"]).output
    assert "red" in listed
    assert "\x1b" not in listed


def test_own_rows_add_replace_and_extend(tmp_path):
    path = written(
        tmp_path,
        """
        local:
            {provider: openai, model: m, base_url: "http://host:1/v1/", api_key_env: null, perceived: {rule: native}}
        cold: {extends: gemini-2.5-flash, temperature: 0}
        colder: {extends: cold, top_p: 0.1}
        gemini-2.5-pro: {extends: gemini-2.5-pro, thinking_budget: 128}
        """,
    )
    catalogue = load_catalogue(path)
    assert catalogue["local"].base_url == "http://host:1/v1"
    assert (catalogue["colder"].temperature, catalogue["colder"].top_p) == (0, 0.1)
    assert catalogue["colder"].thinking_budget == -1
    assert catalogue["gemini-2.5-pro"].thinking_budget == 128
    assert catalogue["gemini-2.5-flash"] == load_catalogue()["gemini-2.5-flash"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {extends: gemini-2.5-flash, thinking_bugdet: 4}", ["a: thinking_bugdet: no such", "'thinking_budget'"]),
        ("a: {extends: gpt-5.4, prices: {inptu: 1}}", ["prices.inptu: no such setting. Did you mean 'input'"]),
        ("a: {provider: openai, model: m, reasoning_efort: low}", ["no such setting. Did you mean 'reasoning_effort'"]),
        ("a: " + 3000 * "[", ["not valid YAML"]),
        ("a: {extends: gemini-2.5-flahs}", ["a: extends", "'gemini-2.5-flash'"]),
        ("a: {extends: b}\nb: {extends: a}", ["circle"]),
        ("a: {extends: a}", ["a: extends", "no model is called 'a'"]),
        ("a: {extends: gpt-5.4, perceived: 896}", ["a: perceived"]),
        ("a: {provider: gemni, model: x}", ["a: provider: expected one of gemini, openai", "Did you mean 'gemini'?"]),
        ("a: {extends: gpt-5.4, tool_calling: txet}", ["a: tool_calling: ", "Did you mean 'text'?"]),
        ("a: {extends: gpt-5.4, perceived: {rule: tils}}", ["a: perceived.rule: ", "Did you mean 'tiles'?"]),
        ("a: {extends: gpt-5.4, perceived: {rule: tiles, longset: 5}}", ["perceived.longset: no such", "'longest'"]),
        ("a: {extends: gpt-5.4, base_url: localhost}", ["a: base_url: must start with"]),
        ("a: {extends: gpt-5.4, base_url: 'https://user:pw@host/v1'}", ["a: base_url"]),
        ("a: {extends: gpt-5.4, seed: 1}", ["a: seed"]),
        ("a: {extends: gpt-5.4, frame: unit}", ["a: frame", "medvision"]),
        ("a: {extends: gemini-2.5-flash, thinking_level: low}", ["not both"]),
        ("a: {extends: gpt-5.4, temperature: .nan}", ["a.temperature: expected a finite number"]),
        ("a: {extends: gpt-5.4, max_output_tokens: " + "9" * 5000 + "}", ["a.max_output_tokens: expected a finite"]),
        ("a: {model: x, model: y}", ["'model' is given twice"]),
        ("a: {model: [", ["line 2", "not valid YAML"]),
        ("a: 3", ["a: a model's name"]),
        ("[1]", ["expected a mapping of model names to their settings, found list"]),
        ("", ["expected a mapping of model names to their settings, found nothing"]),
        ("# nothing but a comment", ["expected a mapping of model names"]),
        ("a: {model: m}", ["a: provider: this key is missing; expected one of gemini, openai"]),
        ("a: {extends: gpt-5.4, perceived: {height: 5}}", ["perceived.rule: this key is missing; expected", "fixed"]),
        ("? [a]\n: {}", ["mine.yaml"]),
        ("a: !!python/object/apply:os.system [x]", ["not valid YAML"]),
    ],
)  # fmt: skip
def test_complaints_name_file_row_and_key(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        load_catalogue(written(tmp_path, text))
    for word in ["mine.yaml", *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1", "https://", "http:///v1", "http://host:0/v1", "http://host:65536/v1", "http://host:x/v1",
        "http://host:/v1", "http://ho st/v1", "http://host/v1\n", "http://host/\x00", "http://host/\u202e1v",
        "http://h\u200bost/v1", "http://h\u00f6st/v1", "http://host\\@evil/v1", "http://key:@host/v1", "http://host/v1?k=1",
        "http://host/v1#k", "http://[::1/v1", "http://-/v1", "http://a%2eb/v1", " http://host/v1", "HTTP://host/v1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("parent", ["gpt-5.4", "gemini-2.5-flash"])
def test_a_base_url_is_refused_where_requests_might_go_elsewhere(tmp_path, url, parent):
    with pytest.raises(ConfigError, match=r"mine\.yaml: a: base_url: ") as caught:
        load_catalogue(written(tmp_path, f"a: {{extends: {parent}, base_url: {json.dumps(url)}}}"))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/v1", "http://my_server:65535", "http://[::1]:8000/v1", "https://a.b.:1"]
)
def test_base_urls(tmp_path, url):
    models = load_catalogue(written(tmp_path, f"a: {{extends: gpt-5.4, base_url: {json.dumps(url)}}}"))
    assert models["a"].base_url == url


def test_a_key_in_the_wrong_place_is_not_repeated(tmp_path):
    for row in ("api_key_env: AIzaSyDontTellAnyone", "api_key: AIzaSyDontTellAnyone"):
        with pytest.raises(ConfigError) as caught:
            load_catalogue(written(tmp_path, f"a: {{extends: gemini-2.5-flash, {row}}}"))
        assert "DontTell" not in str(caught.value)
        assert "api_key_env" in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: this file does not exist"):
        load_catalogue(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match=r"bytes\.yaml"):
        load_catalogue(tmp_path / "bytes.yaml")


def test_unknown_name():
    with pytest.raises(ConfigError, match=r"Did you mean 'gemini-2\.5-flash'"):
        find("gemini-2.5-flsh", load_catalogue())


def test_missing_key_in_one_line():
    catalogue = load_catalogue()
    with pytest.raises(ConfigError, match=r"^No API key for \S+: set .*GEMINI_API_KEY or GOOGLE_API_KEY\.$"):
        check_ready(catalogue["gemini-2.5-flash"], {"GEMINI_API_KEY": "  "})
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        check_ready(catalogue["gpt-5.4"], {"GEMINI_API_KEY": "k"})
    check_ready(catalogue["gemini-2.5-flash"], {"GOOGLE_API_KEY": "k"})
    check_ready(catalogue["oracle"], {})
    with pytest.raises(ConfigError) as caught:
        check_ready(catalogue["gpt-5.4"], {"OPENAI_API_KEY": "dont\ntell"})
    assert "tell" not in str(caught.value)


async def test_missing_key_before_anything_is_opened():
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        async with open_model(load_catalogue()["gpt-5.4"], environ={}):
            pytest.fail("opened")


def test_commands_show_models_but_no_key(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "dont-tell")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    listed = CliRunner().invoke(cli, ["models", "list"], catch_exceptions=False).output
    lines = {line.split()[0]: line for line in listed.splitlines()}
    assert lines["gpt-5.4"].endswith("key set (OPENAI_API_KEY)")
    assert lines["gemini-2.5-flash"].endswith("key not set (GEMINI_API_KEY or GOOGLE_API_KEY)")
    assert lines["oracle"].endswith("needs no key")
    own = written(tmp_path, "mine: {extends: gpt-5.4, temperature: 1}")
    shown = CliRunner().invoke(cli, ["models", "show", "mine", "--models", str(own)], catch_exceptions=False).output
    assert "dont-tell" not in listed + shown
    config = yaml.safe_load(shown)["mine"]
    assert MODEL_CONFIG.validate_python(config) == load_catalogue(own)["mine"]
