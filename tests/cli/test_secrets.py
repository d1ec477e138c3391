"""A run with a known key, through answers, errors and traces that repeat it: nothing written or printed holds it."""

from pathlib import Path

import pytest
from fake.replies import calls, error, raw, text

KEY = "plainly-a-key-0123456789-of-this-test"
RULER = ("ruler", {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.5, "y1": 0.5})


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("model", ["keyed-openai", "keyed-gemini"])
async def test_the_key_is_nowhere(server, data, models, call, tmp_path, model):
    models.write_text(
        f"""
keyed-openai: {{provider: openai, model: m, base_url: {server.openai_url}, api_key_env: THE_KEY, max_tries: 1,
  perceived: {{rule: native}}}}
keyed-gemini: {{extends: gemini-2.5-flash, base_url: {server.gemini_url}, api_key_env: THE_KEY, max_tries: 1}}
"""
    )
    server.script(
        [
            calls(RULER),
            text("<answer>5.0</answer>"),
            error(500, f"your key {KEY} made us fall over"),
            error(429, f"slow down, {KEY}"),
            raw(f"<html>{KEY}</html>"),
            error(400, f"bad request with Bearer {KEY}"),
            text("<answer>6.0</answer>"),
        ]
    )
    out = tmp_path / "run"
    words = ("run", "--model", model, "--models", models, "--data", data, "--out", out, "--limit", 6)
    code, printed, said = await call(*words, "--max-connections", 1, THE_KEY=KEY)
    assert code == 1, said
    assert len(server.requests) == 7  # every fault was really met
    for again in (("score", out), ("score", out, "--json"), ("export", out, "--out", tmp_path / "exported")):
        _, more, complaint = await call(*again, THE_KEY=KEY)
        printed, said = printed + more, said + complaint
    assert KEY not in printed + said
    for folder in (out, tmp_path / "exported"):
        assert KEY.encode() not in written(folder)
    _, listed, _ = await call("models", "show", model, "--models", models, THE_KEY=KEY)
    assert "key set (THE_KEY)" in listed
    assert KEY not in listed


async def test_a_proxy_is_named_before_the_first_request(server, data, models, call, tmp_path):
    server.script([text("<answer>5.0</answer>")])
    proxy = {"HTTP_PROXY": f"http://me:hidden@127.0.0.1:{server.port}", "NO_PROXY": ""}
    words = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--limit", 1, "--tools", "off")
    code, _, err = await call(*words, "--out", tmp_path / "run", **proxy)
    assert code == 2  # our server is no proxy and knows no such path
    assert f"images included, go through 127.0.0.1:{server.port}" in err
    assert "hidden" not in err
