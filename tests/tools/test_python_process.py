"""The process of the python tool: what it reaches, what it may use, and how it ends."""

import subprocess
import sys
import time

import numpy as np
import pytest
from fake.processes import children

from medvision_agent.errors import ToolError
from medvision_agent.tools.python import python
from medvision_agent.tools.sandbox import process
from medvision_agent.tools.sandbox.process import CodeLimits, run
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

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


def test_a_flood_from_the_child_is_not_read_to_its_end(monkeypatch):
    before = children()
    monkeypatch.setattr(process, "_CHILD", "while True: print('x' * 4096)")
    with pytest.raises(ToolError, match="stopped by the system"):
        run("1")
    assert children() == before


def test_without_resource_limits_nothing_is_run(monkeypatch):
    monkeypatch.setattr(process, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert (
        python.call(VIEWS, {"code": "1"}).text
        == "Error: this tool is not available: the system it runs on cannot confine it"
    )
