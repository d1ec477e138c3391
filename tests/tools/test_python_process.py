"""The process of the python tool: what it reaches, what it may use, and how it ends."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fake.processes import children

from medvision_agent.errors import ToolError
from medvision_agent.tools.python import python
from medvision_agent.tools.sandbox import children as children_of
from medvision_agent.tools.sandbox import process
from medvision_agent.tools.sandbox.children import CHILDREN
from medvision_agent.tools.sandbox.process import CodeLimits, run
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet


@pytest.fixture(autouse=True)
def _server():
    """Start the server of children, so that what a test leaves behind is told from it."""
    run("1")


@pytest.fixture
def served(monkeypatch):
    """Return what makes children run other code in place of the evaluator, given what is written to them."""

    def serve(code):
        lines = "\n    ".join(["def main(*limits):", "import json, os, sys, time", *code.splitlines()])
        head, _, _ = kept.rpartition("serve()")
        module = "medvision_agent.tools.sandbox.server"
        monkeypatch.setattr(
            children_of, "_SERVER", f"{head}import {module} as server\n{lines}\nserver.main = main\nserve()\n"
        )
        CHILDREN.close()

    kept = children_of._SERVER
    yield serve
    CHILDREN.close()


VIEWS = ViewSet(grey_slice(np.eye(4), Spacing(1, 1)), Native())
ENDLESS = 10**15
"""Steps that no test reaches."""

CHILD = """
import _socket, ctypes, os, subprocess, sys
from medvision_agent.tools.sandbox.evaluator import confine
confine(5, 256)
{}
os._exit(0)
"""


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("os.write(1, b'alive')", 0),
        ("open('/etc/passwd')", 70),
        ("open(sys.argv[1], 'w')", 70),
        ("os.mkdir(sys.argv[1])", 70),
        ("os.listdir('/')", 70),
        ("import wave", 70),
        ("try:\n    import unicodedata\nexcept Exception:\n    os._exit(7)", 7),
        ("__import__('wave')", 70),
        ("eval('1')", 70),
        ("exec('1')", 70),
        ("_socket.socket()", 70),
        ("_socket.getaddrinfo('localhost', 80)", 70),
        ("os.system('true')", 70),
        ("os.fork()", 70),
        ("os.execv('/bin/true', ['true'])", 70),
        ("os.kill(1, 0)", 70),
        ("subprocess.Popen(['true'])", 70),
        ("ctypes.CDLL(None)", 70),
        ("sys._getframe()", 70),
        ("sys.addaudithook(print)", 70),
        ("try:\n    bytearray(10 ** 9)\nexcept MemoryError:\n    os._exit(5)", 5),
        ("try:\n    os.dup(0)\nexcept OSError:\n    os._exit(6)", 6),
    ],
)
def test_the_confined_process_reaches_nothing(code, status, tmp_path):
    """What is left if both the grammar and the evaluator had a hole."""
    command = [sys.executable, "-B", "-c", CHILD.format(code), str(tmp_path / "made")]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


LOOP = "while True: pass"
SLOW = "a = [0]\nb = [0]\nfor i in range(60):\n    a = [a, a]\n    b = [b, b]\na == b"
HUNGRY = "[[i] * 100000 for i in range(10000)]"


@pytest.mark.parametrize("code", [LOOP, SLOW], ids=["loop", "inside one operation"])
def test_the_clock_ends_it(code):
    before, started = children(), time.perf_counter()
    with pytest.raises(ToolError, match=r"^it was stopped: it takes longer than 0\.7 s$"):
        run(code, CodeLimits(seconds=0.7, steps=ENDLESS))
    assert 0.7 <= time.perf_counter() - started < 3
    assert children() == before


@pytest.mark.parametrize("code", [LOOP, SLOW], ids=["loop", "inside one operation"])
def test_the_processor_time_ends_it(code):
    with pytest.raises(ToolError, match=r"^it was stopped: it takes longer than 1 s$"):
        run(code, CodeLimits(seconds=60, cpu_s=1, steps=ENDLESS))


def test_the_memory_is_bounded():
    with pytest.raises(ToolError, match="more memory is needed than there is"):
        run(HUNGRY, CodeLimits(memory_mb=100, steps=ENDLESS))
    with pytest.raises(ToolError, match="more than 1000000 steps"):
        run(HUNGRY)


def test_the_child_is_given_nothing(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    seen = {}
    popen = subprocess.Popen
    CHILDREN.close()
    monkeypatch.setattr(subprocess, "Popen", lambda command, **given: seen.update(given) or popen(command, **given))
    assert run("1") == (1, "")
    assert (seen["env"], seen["cwd"], seen["start_new_session"]) == ({}, "/", True)


@pytest.mark.parametrize(
    "wrote",
    [b"", b"{", b"[" * 60000, b'{"value": NaN}', b'{"value": [1]}', b'{"printed": 5}', b'{"value": 1, "more": 2}'],
)
def test_the_child_is_not_trusted(monkeypatch, wrote):
    monkeypatch.setattr(process, "_talk", lambda *args: (wrote, 0, False))
    with pytest.raises(ToolError, match="could not be evaluated"):
        run("1")


def test_a_flood_from_the_child_is_not_read_to_its_end(served):
    served("while True: print('x' * 4096)")
    with pytest.raises(ToolError, match="stopped by the system"):
        run("1")


TOLD = """
time.sleep(float(json.loads(sys.stdin.read())))
files = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
told = [os.getpid(), os.getppid(), os.getpgid(0), os.getcwd(), dict(os.environ), files]
print(json.dumps({"value": json.dumps(told)}), flush=True)
os._exit(0)
"""


def test_every_call_has_a_child_of_its_own_that_holds_its_own_two_pipes(served):
    served(TOLD)
    with ThreadPoolExecutor(4) as pool:
        said = [json.loads(value) for value, _ in pool.map(run, ["0.2", "0", "0.1", "0", "0"])]
    server = CHILDREN._server[0].pid
    assert len({pid for pid, *_ in said}) == len(said)
    for pid, parent, group, folder, environ, files in said:
        assert (parent, group, folder, files) == (server, pid, "/", [0, 1, 2])
        assert environ.keys() <= {"LC_CTYPE"}  # the interpreter's own, where there is no other
    assert not Path(f"/proc/{server}/task/{server}/children").read_text()


def test_a_server_that_has_ended_is_started_again():
    server = CHILDREN._server[0]
    server.kill()
    server.wait()
    assert run("1 + 1") == (2, "")
    assert CHILDREN._server[0].pid != server.pid


def test_a_call_whose_server_is_killed_ends_with_an_error(served):
    served("time.sleep(60)")
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run, "1")
        while (
            CHILDREN._server is None
            or not Path("/proc/{0}/task/{0}/children".format(CHILDREN._server[0].pid)).read_text()
        ):
            pass
        CHILDREN._server[0].kill()
        with pytest.raises(ToolError, match=r"^this tool is not available"):
            done.result()


def test_no_child_outlives_who_asked():
    code = """
import os, threading, time
from pathlib import Path
from medvision_agent.tools.sandbox.process import CodeLimits, run
from medvision_agent.tools.sandbox.children import CHILDREN
run("1")
limits = CodeLimits(steps=10**15, cpu_s=50, seconds=60)
threading.Thread(target=run, args=("while True: pass", limits), daemon=True).start()
server = CHILDREN._server[0].pid
while not (child := Path(f"/proc/{server}/task/{server}/children").read_text()): pass
print(server, child, flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True, text=True)
    deadline = time.monotonic() + 30
    for pid in done.stdout.split():
        while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
            assert time.monotonic() < deadline, f"{pid} is still there"


def test_a_forked_process_has_a_server_of_its_own():
    before, (reads, writes) = CHILDREN._server[0].pid, os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writes, json.dumps([run("6 * 7"), CHILDREN._server[0].pid]).encode())
        CHILDREN.close()
        os._exit(0)
    os.waitpid(child, 0)
    answer, server = json.loads(os.read(reads, 1000))
    os.close(reads)
    os.close(writes)
    assert answer == [42, ""]
    assert server != before == CHILDREN._server[0].pid
    assert run("1") == (1, "")


def test_without_resource_limits_nothing_is_run(monkeypatch):
    monkeypatch.setattr(process, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert (
        python.call(VIEWS, {"code": "1"}).text
        == "Error: this tool is not available: the system it runs on cannot confine it"
    )
