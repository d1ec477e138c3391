"""The viewer's server as a real process: who gets an answer, what is answered, live runs, and how it ends."""

import asyncio
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from browsed import HOSTILE, HOSTILE_ID, KILLED, a_run, add, create, samples
from commands import COMMAND, PYTHON
from forged import retold
from identities import a_sample

TESTS = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{40,})\n")


class Served:
    """A server and a client of it."""

    def __init__(self, process: subprocess.Popen[str], port: int, token: str) -> None:
        self.process, self.port, self.token = process, port, token
        self.cookie = ""

    def ask(self, path, method="GET", body=None, **headers):
        """Return (status, headers, content); a header None is left out."""
        sent = {
            "Host": f"127.0.0.1:{self.port}",
            "Cookie": self.cookie,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def enter(self):
        status, headers, page = self.ask(f"/?token={self.token}")
        assert status == 200
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        assert b'<link rel="icon" href="/icon.svg">' in page  # else a browser asks for /favicon.ico
        assert self.ask("/icon.svg")[0] == 200
        return headers, page

    def json(self, path, **headers):
        status, found, content = self.ask(path, **headers)
        assert (status, found["Content-Type"]) == (200, "application/json"), content
        return json.loads(content)

    def post(self, path, value, **headers):
        usual = {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask(path, "POST", body, **{**usual, **headers})

    def until(self, path, holds):
        """Ask until the answer is as expected; bounded."""
        end = time.monotonic() + 60
        while not holds(found := self.json(path)):
            assert time.monotonic() < end, found
        return found

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def serve():
    """Return a function that starts the command; what still runs is ended."""
    started = []

    def start(*words, enter=True, **environ):
        command = [COMMAND, "view", *map(str, words), "--no-browser"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, env={**os.environ, **environ}, **pipes)
        started.append(process)
        found = ADDRESS.fullmatch(process.stdout.readline())
        assert found, process.stderr.read()
        served = Served(process, int(found[1]), found[2])
        if enter:
            served.enter()
        return served

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_page_its_data_and_pictures(serve, tmp_path):
    a_run(tmp_path / "runs/on", ["10.0", "13.0"], more=1)
    served = serve(tmp_path / "runs")
    index = served.json("/data/index")
    assert (index["live"], index["runs"][0]["name"], index["runs"][0]["done"]) == (True, "on", 2)
    rows = served.json("/data/rows/r1")
    assert (rows["id"], rows["answer"]) == (["s0", "s1", "s2"], ["10 mm", "13 mm", ""])
    assert served.json(f"/data/rows/r1?since={rows['stamp']}")["rows"] == []
    talk = served.json("/data/talks/r1/0")
    picture = talk["turns"][1]["pictures"][0]
    status, headers, png = served.ask(f"/pictures/{picture}.png")
    assert (status, headers["Content-Type"], png[:4]) == (200, "image/png", b"\x89PNG")
    status, headers, page = served.ask("/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for name in re.findall(rb'(?:src|href)="([^":]+)"', page):
        assert served.ask(f"/{name.decode()}")[0] in {200, 404}
    assert served.ask("/app.js")[1]["Content-Type"] == "text/javascript; charset=utf-8"


def test_every_answer_forbids_what_is_not_needed(serve, tmp_path):
    a_run(tmp_path / "run", ["10.0"])
    served = serve(tmp_path)
    for path in ("/", "/data/index", "/nothing", "/data/rows/r9", f"/?token={served.token}", "/?token=x"):
        _, headers, _ = served.ask(path)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;")
        assert "unsafe" not in policy
        assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers


def test_only_who_has_the_address_gets_an_answer(serve, tmp_path):
    a_run(tmp_path / "run", ["10.0"])
    served = serve(tmp_path, enter=False)
    paths = ("/", "/data/index", "/data/rows/r1", "/data/talks/r1/0", "/app.js", "/nothing")
    for path in paths:
        for cookie in ("", f"medvision_agent_{served.port}=x", f"medvision_agent_{served.port}={served.token}"):
            assert served.ask(path, Cookie=cookie)[0] == 403, path
    for query in ("token=", "token=x", f"token={served.token[:-1]}", f"token=x&token={served.token}"):
        status, headers, _ = served.ask(f"/?{query}")
        assert (status, "Set-Cookie" in headers) == (403, False), query
    headers, page = served.enter()
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=strict" in headers["Set-Cookie"]
    assert served.token.encode() not in page  # neither the page nor what it links to holds the token
    assert served.token not in headers["Set-Cookie"]
    for path in paths[:-1]:
        assert served.ask(path)[0] == 200, path


def test_no_other_host_and_no_other_page_gets_an_answer(serve, tmp_path):
    a_run(tmp_path / "run", ["10.0"])
    served = serve(tmp_path)
    port = served.port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        "",
        f"127.0.0.1:{port}@evil:1",
    ):
        assert served.ask("/data/index", Host=host)[0] in {400, 421}, host
        assert served.ask(f"/?token={served.token}", Host=host)[0] in {400, 421}, host
    assert served.ask("/data/index", Host=f"localhost:{port}")[0] == 200
    for origin in (
        "http://evil.example",
        "null",
        f"http://localhost:{port}",
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1:{port + 1}",
    ):
        assert served.ask("/data/index", Origin=origin)[0] == 403, origin
    for site in ("cross-site", "same-site"):
        assert served.ask("/data/index", Sec_Fetch_Site=site)[0] == 403
    assert served.ask("/data/index", Sec_Fetch_Site="same-origin")[0] == 200


def test_notes_are_taken_from_the_page_alone(serve, tmp_path):
    folder = a_run(tmp_path / "run", ["10.0", "11.0"])
    served, note = serve(tmp_path), {"row": 1, "verdict": "bad", "comment": "no"}
    for origin in (None, "null", "http://evil.example", f"http://127.0.0.1:{served.port + 1}"):
        assert served.post("/data/reviews/r1", note, Origin=origin)[0] == 403
    assert served.post("/data/reviews/r1", note, Cookie=None)[0] == 403
    assert served.post("/data/reviews/r1", note, Content_Type="text/plain")[0] == 415
    for wrong in (
        note | {"verdict": "great"},
        note | {"row": -1},
        note | {"comment": "x" * 4001},
        note | {"id": "s0"},
        b"{",
        b"\xff",
    ):
        assert served.post("/data/reviews/r1", wrong)[0] == 422, wrong
    assert served.post("/data/reviews/r1", b"[" * 100_000)[0] == 413
    assert served.post("/data/reviews/r1", note | {"row": 2})[0] == 404
    assert not (folder / "review.jsonl").exists()
    status, _, content = served.post("/data/reviews/r1", note)
    assert (status, json.loads(content)["reviews"][0]["id"]) == (200, "s1")
    assert served.json("/data/reviews/r1")["reviews"][0]["comment"] == "no"
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        for path in ("/data/reviews/r1", "/data/index", "/"):
            assert served.ask(path, method, Origin=f"http://127.0.0.1:{served.port}")[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/pyproject.toml",
        "/..%2fpyproject.toml",
        "//etc/passwd",
        "/__init__.py",
        "/pictures/../run.sqlite",
        "/pictures/..%2f..%2frun.sqlite.png",
        "/pictures/%2fetc%2fpasswd.png",
        "/data/rows/..%2f..%2frun",
        "/data/rows/r1%00",
        "/data/rows/r1?since=x",
        "/data/talks/r1/-1",
        "/data/talks/r1/99999999999999999999999",
        "/data/talks/r1/1e3",
        "/data/talks/run/0",
        "/data/reviews/../r1",
        "/data/index.js",
    ],
)
def test_no_path_leads_anywhere_else(hostile, path):
    status, headers, content = hostile.ask(path)
    assert status in {400, 404}, content
    assert headers["Content-Type"] == "application/json"
    assert set(json.loads(content)) == {"error"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a server over a run of a hostile model."""
    folder = tmp_path_factory.mktemp("hostile")
    asked = [a_sample(HOSTILE_ID, subject=HOSTILE)]
    with create(folder / "run", asked, model_name=HOSTILE) as store:
        add(store, asked[0], HOSTILE, detail=HOSTILE)
    process = subprocess.Popen(
        [COMMAND, "view", folder, "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    found = ADDRESS.fullmatch(process.stdout.readline())
    served = Served(process, int(found[1]), found[2])
    served.enter()
    yield served
    process.kill()
    process.communicate()


def test_texts_of_models_are_data(hostile):
    assert hostile.json("/data/index")["runs"][0]["model"] == HOSTILE
    assert hostile.json("/data/rows/r1")["id"] == [HOSTILE_ID]
    assert HOSTILE in hostile.json("/data/talks/r1/0")["turns"][-1]["text"]


def test_a_run_that_is_being_written_grows_and_one_that_goes_is_a_line(serve, tmp_path):
    served, asked = serve(tmp_path), samples(3)
    assert served.json("/data/index")["runs"] == []
    with create(tmp_path / "run", asked) as store:
        add(store, asked[0])
        (run,) = served.until("/data/index", lambda index: index["runs"] and index["runs"][0]["done"] == 1)["runs"]
        assert run["state"] == "running"
        stamp = served.json("/data/rows/r1")["stamp"]
        add(store, asked[2])
        served.until("/data/index", lambda index: index["runs"][0]["done"] == 2)
        assert served.json(f"/data/rows/r1?since={stamp}")["id"] == ["s2"]
    served.until("/data/index", lambda index: index["runs"][0]["state"] == "unfinished")
    with closing(sqlite3.connect(tmp_path / "run/run.sqlite")) as database, database:
        database.execute("UPDATE record SET json = replace(json, '10.0', '11.0')")
    retold(tmp_path / "run", "10.0", "11.0")
    assert served.ask("/data/talks/r1/0")[0] == 404
    (tmp_path / "run/run.sqlite").write_bytes(b"x" * 5000)
    (run,) = served.until("/data/index", lambda index: index["runs"][0]["state"] == "damaged")["runs"]
    assert "damaged" in run["note"]
    shutil.rmtree(tmp_path / "run")
    served.until("/data/index", lambda index: index["runs"] == [])
    assert served.ask("/data/rows/r1")[0] == 404
    subprocess.run([PYTHON, "-c", KILLED, TESTS, tmp_path / "killed"], check=False, capture_output=True)
    (run,) = served.until("/data/index", lambda index: index["runs"] and index["runs"][0]["done"] == 3)["runs"]
    assert (run["name"], run["state"], run["key"]) == ("killed", "unfinished", "r2")
    code, _, err = served.end()
    assert (code, err) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(serve, tmp_path, number):
    a_run(tmp_path / "run", ["10.0"])
    served = serve(tmp_path)
    with closing(http.client.HTTPConnection("127.0.0.1", served.port)) as kept:  # a page that still holds a connection
        kept.request("GET", "/", headers={"Cookie": served.cookie})
        kept.getresponse().read()
        code, _, err = served.end(number)
    assert (code, err) == (0, "")
    with pytest.raises(ConnectionRefusedError):
        served.ask("/")


async def test_wrong_use_is_one_line(tmp_path):
    async def refused(*words):
        process = await asyncio.create_subprocess_exec(
            COMMAND, "view", *map(str, words), "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert (process.returncode, out) == (2, b"")
        return err.decode()

    assert "none: no such folder" in await refused(tmp_path / "none")
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--port {port}: " in await refused(tmp_path, "--port", port)
    assert "--samples needs --bundle" in await refused(tmp_path, "--samples", 3)
    assert "--bundle writes a folder" in await refused(tmp_path, "--bundle", tmp_path / "out")
