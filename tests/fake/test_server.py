"""The fake provider as a program of its own, for runs of the whole command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2

import fake.server
from fake.replies import calls, text


def test_as_a_program_by_turn(tmp_path):
    script = tmp_path / "replies.json"
    script.write_text(json.dumps({"by_turn": [calls(("a", {})), text("<answer>1</answer>")]}), encoding="utf-8")
    program = [sys.executable, str(Path(fake.server.__file__)), "--port", "0", "--script", str(script)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1/chat/completions"
            question = {"role": "user", "content": "q"}
            with httpx2.Client(timeout=10) as client:
                first = client.post(url, json={"messages": [question]}).json()["choices"][0]["message"]
                told = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "x"}
                second = client.post(url, json={"messages": [question, first, told]}).json()
                refused = client.post(url, json={"messages": [question, first, question]})
                unknown = client.post(url.replace("chat", "chit"), json={})
        finally:
            process.kill()
    assert second["choices"][0]["message"]["content"] == "<answer>1</answer>"
    assert refused.status_code == 400
    assert unknown.status_code == 404
