"""No environment variable moves requests elsewhere in silence."""

import httpx2
import pytest

from medvision_agent.agent.models import MODEL_CONFIG, LangChain
from medvision_agent.agent.models.catalogue import load_catalogue, origins
from medvision_agent.agent.wire.redirects import redirections

ROW = {"provider": "openai", "model": "m", "base_url": "https://api.example.org/v1", "perceived": {"rule": "native"}}
MODEL = MODEL_CONFIG.validate_python(ROW)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_is_named_without_its_password(name):
    (line,) = redirections(MODEL, {name: "http://user:secret@proxy.example.com:3128"})
    assert line.endswith("requests to api.example.org, images included, go through proxy.example.com:3128")
    assert "secret" not in line


@pytest.mark.parametrize("exempt", ["*", "example.org", ".example.org", "other, api.example.org"])
def test_exempted_hosts_are_reached_directly(exempt):
    assert redirections(MODEL, {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": exempt}) == []


@pytest.mark.parametrize(
    "exempt", [{"NO_PROXY": ".api.example.org"}, {"NO_PROXY": "ample.org"}, {"NO_PROXY": "*", "no_proxy": ""}]
)
def test_what_http_libraries_do_not_take_for_exempt_is_named(monkeypatch, exempt):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    environ = {"HTTPS_PROXY": "http://proxy:1", **exempt}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with httpx2.Client() as client:
        assert client._transport_for_url(httpx2.URL(ROW["base_url"])) is not client._transport
    assert len(redirections(MODEL, environ)) == 1


def test_what_does_not_apply_is_not_named():
    assert redirections(MODEL, {"HTTP_PROXY": "http://proxy:1"}) == []
    assert redirections(MODEL, {}) == []
    offline = MODEL_CONFIG.validate_python({"provider": "offline", "name": "prior"})
    assert redirections(offline, {"HTTPS_PROXY": "http://proxy:1"}) == []


CLAUDE = {"provider": "langchain", "model": "c", "factory": "langchain_anthropic:ChatAnthropic"}


@pytest.mark.parametrize(
    "name", ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL", "ANTHROPIC_PROXY", "LANGSMITH_GATEWAY", "https_proxy"]
)
def test_what_may_move_the_requests_of_a_factory_is_named(name):
    model = MODEL_CONFIG.validate_python(CLAUDE)
    (line,) = redirections(model, {name: "http://user:secret@elsewhere.example:8080/v1", "NO_PROXY": "x"})
    assert line == f"{name} is set: requests of c, images included, may go to elsewhere.example:8080"


def test_a_factory_that_is_given_its_place_looks_nowhere_else():
    model = MODEL_CONFIG.validate_python(CLAUDE | {"settings": {"base_url": "https://api.anthropic.com"}})
    assert redirections(model, {"ANTHROPIC_BASE_URL": "http://elsewhere"}) == []
    (line,) = redirections(model, {"ANTHROPIC_PROXY": "http://proxy:1"})
    assert "may go to proxy:1" in line


def test_every_shipped_row_says_where_its_requests_go():
    catalogue = load_catalogue()
    for name, place in origins().items():
        if place == "the shipped catalogue" and isinstance(config := catalogue[name], LangChain):
            assert config.settings["base_url"] == "https://api.anthropic.com", name
