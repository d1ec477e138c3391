"""``--log-level``: silent by default; a retry is shown, and neither a key nor a picture nor a sample with it."""

import base64
import os
import re

import pytest
from fake.replies import error, text

KEY = "plain-fake-key-0123456789"
ANSWER = text("<answer>10.0</answer>")
QUOTED = base64.b64encode(os.urandom(90)).decode()


@pytest.fixture
def words(server, data, tmp_path):
    (tmp_path / "models.yaml").write_text(
        f"with-key: {{provider: openai, model: gpt-fake, base_url: '{server.openai_url}', api_key_env: KEY_OF_THE_TEST,"
        " perceived: {rule: native}, timeout_seconds: 60, max_tries: 3}\n"
    )
    once = error(500, f"{KEY} \x1b[2J quoted data:image/png;base64,{QUOTED}", retry_after="0.01")
    server.script([once, ANSWER])
    words = ("run", "--model", "with-key", "--models", "models.yaml", "--data", data, "--tools", "off", "--limit", 1)
    return (*words, "--out", "run")


async def test_nothing_is_logged_by_default(words, call):
    code, _, err = await call(*words, KEY_OF_THE_TEST=KEY)
    assert code == 0
    checked, writing, progress = err.splitlines()
    assert checked.startswith("model with-key: not checked yet")
    assert writing == "writing to run"
    assert progress.startswith("with-key: 1 of 1, loss ")


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_a_retry_is_shown_without_key_and_picture(words, call, level):
    code, out, err = await call("--log-level", level, *words, KEY_OF_THE_TEST=KEY)
    assert code == 0, err
    assert "1 of 1 samples finished" in out
    logged = [line for line in err.splitlines() if re.match(r"\d\d:\d\d:\d\d [A-Z]+ medvision_agent\.", line)]
    shown = "\n".join(line.split(" ", 1)[1] for line in logged)
    assert "INFO medvision_agent.agent.models.catalogue: models of models.yaml: 1 rows" in shown
    assert re.search(r"INFO medvision_agent.eval.data.sources: source \S+samples.jsonl opened", shown)
    assert "INFO medvision_agent.eval.store.write: run: a run of 1 samples was created" in shown
    retry = "INFO medvision_agent.agent.retry: gpt-fake: try 1 of 3 failed: server_error, asked to wait 0.01 s"
    assert retry in shown
    assert ("?[2J quoted data:image/png;base64,[data]" in shown) == (level == "debug")
    for hidden in (KEY, QUOTED[:40], "\x1b", "Landmark"):
        assert hidden not in err
    others = [line for line in err.splitlines() if line not in logged]
    assert [line.partition(":")[0] for line in others] == ["model with-key", "writing to run", "with-key"]


async def test_a_proxy_is_a_warning(server, words, call):
    proxy = {"HTTP_PROXY": f"http://me:hidden@127.0.0.1:{server.port}", "NO_PROXY": "", "no_proxy": ""}
    _, _, err = await call("--log-level", "warning", *words, **proxy, KEY_OF_THE_TEST=KEY)
    assert "WARNING medvision_agent.agent.providers.factory: HTTP_PROXY is set: requests to 127.0.0.1" in err
    assert " INFO " not in err
    assert "hidden" not in err


async def test_a_resumed_run_is_named(server, words, call):
    server.script([error(500, retry_after="0.01")] * 3)
    assert (await call(*words, KEY_OF_THE_TEST=KEY))[0] == 1
    server.script([ANSWER])
    code, _, err = await call("--log-level", "info", *words, "--resume", KEY_OF_THE_TEST=KEY)
    assert code == 0
    assert "medvision_agent.eval.store.write: run: the run is resumed" in err


async def test_an_unknown_level_is_refused(call):
    code, _, err = await call("--log-level", "all", "data", "list")
    assert code == 2
    assert "'all' is not one of 'debug', 'info', 'warning', 'error'" in err
