"""No environment variable moves requests elsewhere in silence."""

import pytest

from medvision_agent.agent.config import MODEL_CONFIG
from medvision_agent.agent.models.redirects import redirections

ROW = {"provider": "openai", "model": "m", "base_url": "https://api.example.org/v1", "perceived": {"rule": "native"}}
MODEL = MODEL_CONFIG.validate_python(ROW)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_is_named_without_its_password(name):
    (line,) = redirections(MODEL, {name: "http://user:secret@proxy.example.com:3128"})
    assert line.endswith("requests to api.example.org, pictures included, go through proxy.example.com:3128")
    assert "secret" not in line


@pytest.mark.parametrize("exempt", ["*", "example.org", ".example.org", "other, api.example.org"])
def test_exempted_hosts_are_reached_directly(exempt):
    assert redirections(MODEL, {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": exempt}) == []


def test_what_does_not_apply_is_not_named():
    assert redirections(MODEL, {"HTTP_PROXY": "http://proxy:1"}) == []
    assert redirections(MODEL, {}) == []
    offline = MODEL_CONFIG.validate_python({"provider": "offline", "name": "prior"})
    assert redirections(offline, {"HTTPS_PROXY": "http://proxy:1"}) == []
