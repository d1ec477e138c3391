"""``serve-upstream`` with upstream's own evaluator package and a tiny model of its interface, asked by a whole run."""

import asyncio
import base64
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx2
import numpy as np
import pytest
from commands import COMMAND

from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.agent.upstream.app import Refused, app_of, question_of
from medvision_agent.agent.upstream.model import CHECKPOINTS
from medvision_agent.agent.upstream.serve import serve_upstream
from medvision_agent.errors import ConfigError
from medvision_agent.loopback import listening
from medvision_agent.tools.view.png import encode_png

HERE = Path(__file__).parent
needs_upstream = pytest.mark.skipif(
    not find_spec("lmms_eval"), reason="upstream's evaluator is not installed; `make beside` installs it and runs this"
)
PNG = encode_png(np.full((40, 50), 70, np.uint8))
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}}
QUESTION = {"role": "user", "content": [{"type": "text", "text": "How long?"}, IMAGE]}


def started(*words: str, name: str = "tiny") -> subprocess.Popen[str]:
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [COMMAND, "serve-upstream", name, "--port", "0", *words],
        env=os.environ | {"LMMS_EVAL_PLUGINS": "standin", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(*words: str) -> Iterator[str]:
    """Serve the tiny model; yield its base URL."""
    with started(*words) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("tiny"), (line, process.stderr.read())
            yield line.split(": ")[1].strip()
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving("--arg", "number=30.0") as address:
        yield address


async def asked(url, status=200, headers=None, **body):
    async with httpx2.AsyncClient() as client:
        reply = await client.post(
            f"{url}/chat/completions", json={"model": "tiny", **body}, headers=headers or {}, timeout=60
        )
    assert reply.status_code == status, reply.text
    return reply.json()


@needs_upstream
async def test_text_image_and_settings_reach_the_model_and_nothing_else_is_made_up(url):
    system = {"role": "system", "content": "You measure."}
    reply = await asked(url, messages=[system, QUESTION], max_tokens=64, temperature=0)
    said, answer = reply["choices"][0]["message"]["content"].split("\n")
    seen = json.loads(said)
    assert (seen["size"], seen["grey"], seen["text"]) == ([50, 40], [70, 70, 70], "You measure.\n\nHow long?")
    assert seen["settings"] == {"max_new_tokens": 64, "temperature": 0, "do_sample": False}
    assert answer == "<answer>30.0</answer>"
    assert "usage" not in reply


@needs_upstream
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"messages": [QUESTION], "tools": [{"type": "function"}]}, "call no tools; ask with --tools off"),
        ({"messages": [QUESTION, {"role": "assistant", "content": "x"}]}, "without a conversation"),
        ({"messages": [QUESTION, QUESTION]}, "one image, got 2 user messages with 2 images and a text"),
        ({"messages": [{"role": "user", "content": "How long?"}]}, "got 1 user message with 0 images and a text"),
        ({"messages": [QUESTION], "stream": True}, "stream"),
        ({"messages": [QUESTION], "n": 2}, "n: only one answer"),
        ({"messages": [QUESTION], "max_tokens": "many"}, "must be numbers"),
        ({"messages": "x"}, "expected one user message with a text and one image, got 0"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://a/b.png"}}]}
                ]
            },
            "other URLs are not fetched",
        ),
    ],
)
async def test_what_its_interface_has_no_place_for_is_refused_with_the_reason(url, body, why):
    reply = await asked(url, status=400, **body)
    assert why in reply["error"]["message"]


@needs_upstream
async def test_pages_and_other_names_of_this_machine_are_not_answered(url):
    for headers in ({"origin": "https://example.org"}, {"host": "example.org"}):
        reply = await asked(url, status=400, headers=headers, messages=[QUESTION])
        assert "answers only programs on its own machine" in reply["error"]["message"]


@needs_upstream
async def test_requests_at_once_run_one_after_the_other_and_a_fault_is_told(url):
    replies = await asyncio.gather(*(asked(url, messages=[QUESTION]) for _ in range(8)))
    assert len({reply["id"] for reply in replies}) == 8
    with serving("--arg", "fails=true") as failing:
        reply = await asked(failing, status=500, messages=[QUESTION])
    assert reply["error"]["message"] == "RuntimeError: out of memory"


@needs_upstream
async def test_a_run_asks_it_like_any_other_model_and_no_failure_of_its_server_is_the_models(url, tmp_path):
    row = f"tiny: {{extends: llava-med-7b, model: tiny, base_url: '{url}'}}\n"
    (tmp_path / "models.yaml").write_text(row)
    words = (
        "run",
        "--model",
        "tiny",
        "--models",
        "models.yaml",
        "--task",
        "distance",
        "--tools",
        "off",
        "--out",
        "out",
    )
    process = await asyncio.create_subprocess_exec(
        COMMAND, *words, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = (text.decode() for text in await process.communicate())
    assert process.returncode == 0, err
    assert "distance" in out
    assert "100.0%" in out


@needs_upstream
@pytest.mark.parametrize(
    ("name", "words", "why"),
    [
        ("tinny", (), "MedVision's package has no model 'tinny'"),
        ("broken", (), "a_package_that_is_nowhere is not installed in this environment"),
        ("tiny", ("--arg", "nothing=1"), "unexpected keyword argument 'nothing'"),
        ("tiny", ("--arg", "number=null"), "ValueError: number is missing"),
        ("tiny", ("--arg", "nothing"), "expected KEY=VALUE"),
    ],
)
def test_what_cannot_be_served_is_said(name, words, why):
    process = started(*words, name=name)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "Traceback" not in err
    assert why in " ".join(err.split())


@needs_upstream
def test_the_keys_that_rows_and_pages_name_are_upstreams():
    from medvision_agent.agent.upstream.model import upstream_names

    names = set(upstream_names())
    noted = {
        row.note.split("serve-upstream ")[1].split("`")[0]
        for row in load_catalogue().values()
        if "serve-up" in row.note
    }
    assert {"meddr", "healthgpt", "llava_med", "huatuogpt_vision"} == noted
    assert noted <= names


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": ["user"], "content": "x"}, "without a conversation"),
        ({"role": {}, "content": "x"}, "without a conversation"),
        ({"role": "user", "content": [{"type": ["text"]}]}, "is neither text nor image_url"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,\u00e9"}]},
            "not base64",
        ),
        ({"role": "user", "content": [{"type": "image_url", "image_url": ["data:"]}]}, "other URLs are not fetched"),
    ],
)
def test_a_request_of_any_shape_is_refused_with_the_reason(message, why):
    with pytest.raises(Refused, match=why):
        question_of({"messages": [message]})


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"stop": ["\n"]}, "stop: the models of MedVision's package do not take this setting"),
        ({"logit_bias": {"5": 1}}, "logit_bias: "),
        ({"seed": 0, "temperature": 0.7}, "seed: the models of MedVision's package take no seed"),
        ({"temperature": float("nan")}, "must be numbers"),
    ],
)
def test_a_setting_that_would_be_ignored_is_refused(setting, why):
    with pytest.raises(Refused, match=why):
        question_of({"messages": [QUESTION], **setting})


def test_a_seed_changes_nothing_where_nothing_is_drawn():
    given = {"messages": [QUESTION], "seed": 7, "temperature": 0, "stop": None}
    assert question_of(given)[2] == {"temperature": 0, "do_sample": False}


class Odd:
    """Says half of a character, or fails by one."""

    name = version = "odd"

    def answer(self, text, image, settings):
        if text == "fail":
            raise RuntimeError("\ud800")
        return "\ud800<answer>1.0</answer>"


@pytest.mark.parametrize(
    ("words", "status", "said"), [("say", 200, "?<answer>1.0</answer>"), ("fail", 500, "RuntimeError: ?")]
)
async def test_a_reply_that_no_message_can_hold_is_a_reply_all_the_same(words, status, said):
    transport = httpx2.ASGITransport(app=app_of(Odd()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8900") as client:
        message = {"role": "user", "content": [{"type": "text", "text": words}, IMAGE]}
        reply = await client.post("/v1/chat/completions", json={"messages": [message]})
    assert reply.status_code == status
    assert said in reply.text


async def test_a_request_for_another_model_of_the_catalogue_is_refused():
    served = Odd()
    served.name = "meddr"
    transport = httpx2.ASGITransport(app=app_of(served))
    message = {"role": "user", "content": [{"type": "text", "text": "say"}, IMAGE]}
    found = {}
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8900") as client:
        for name in (*CHECKPOINTS.values(), "my-own", None, ["x"]):
            reply = await client.post("/v1/chat/completions", json={"messages": [message], "model": name})
            found[str(name)] = reply.status_code
            assert (reply.status_code == 404) == ("serve each model on its own port" in reply.text)
    assert [name for name, status in found.items() if status == 200] == [
        CHECKPOINTS["meddr"],
        "my-own",
        "None",
        "['x']",
    ]


def test_the_checkpoints_are_those_that_the_catalogue_asks_for():
    rows = [row for row in load_catalogue().values() if "serve-upstream" in row.note]
    asked = {row.note.split("serve-upstream ")[1].split("`")[0]: row.model for row in rows}
    assert asked == CHECKPOINTS


def test_a_port_that_is_taken_is_found_before_the_model_is_loaded():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="0 for any free port"):
        serve_upstream(lambda: pytest.fail("loaded"), taken.getsockname()[1], lambda *_: None)


def test_a_port_is_held_by_one_server_from_the_start():
    with listening(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}"), listening(port):
            pytest.fail("two servers have one port")


def test_what_goes_wrong_while_serving_is_not_laid_to_the_port():
    with pytest.raises(ConnectionError, match="gone"), listening(0):
        raise ConnectionError("gone")


@pytest.mark.skipif(bool(find_spec("lmms_eval")), reason="upstream's evaluator is installed")
def test_without_upstream_it_says_where_to_run_it():
    process = started()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "serve-upstream runs where medvision-bm and the model's own packages are installed" in err
