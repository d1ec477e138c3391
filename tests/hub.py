"""A local stand-in of the Hugging Face Hub's HTTP interface, as far as an upload in one commit goes through it.

It keeps repositories in memory: name, whether private, files. Small texts come within the commit; everything else goes
the way of large files (LFS): a batch request, a PUT of the bytes, and a pointer in the commit.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Repository:
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


@dataclass
class Hub:
    """What the stand-in holds and was asked."""

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    """What requests were authorised with."""
    asked: list[str] = field(default_factory=list)
    refuse: int = 0
    """Answer every request with this status."""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args):
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self) -> None:
        body, path = self._body(), self.path.split("?")[0]
        self.hub.asked.append(f"{self.command} {path}")
        if key := self.headers.get("Authorization"):
            self.hub.keys.add(key)
        if self.hub.refuse:
            self._send(self.hub.refuse, {"error": "this text must not be shown"})
            return
        self._send(*self._found(path, body))

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - names that http.server asks for

    def _found(self, path: str, body: bytes) -> tuple[int, object]:  # noqa: PLR0911 - one for each address
        hub, parts = self.hub, path.strip("/").split("/")
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if parts[0] == "blob":
            assert hashlib.sha256(body).hexdigest() == parts[1]
            hub.blobs[parts[1]] = body
            return 200, {}
        if path.endswith(".git/info/lfs/objects/batch"):
            return 200, {"transfer": "basic", "objects": [self._object(one) for one in json.loads(body)["objects"]]}
        repository = hub.repositories.get("/".join(parts[2:4]))
        if repository is None:
            return 404, {"error": "no such repository"}
        if parts[4:5] == ["preupload"]:
            files = json.loads(body)["files"]
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": _mode(one["path"]), "shouldIgnore": False} for one in files
                ]
            }
        if parts[4:5] == ["commit"]:
            return self._commit(repository, "/".join(parts[2:4]), body)
        return 200, {
            "id": "/".join(parts[2:4]),
            "private": repository.private,
            "sha": "0" * 40,
            "siblings": [{"rfilename": name} for name in sorted(repository.files)],
        }

    def _create(self, asked: dict) -> tuple[int, object]:
        name = f"{asked['organization']}/{asked['name']}"
        url = f"{self.hub.address}/datasets/{name}"
        if name in self.hub.repositories:
            return 409, {"url": url, "error": "you already created this repository"}
        assert asked["type"] == "dataset"
        private = asked.get("private", asked.get("visibility") == "private")
        self.hub.repositories[name] = Repository(private, {".gitattributes": b"*.parquet filter=lfs\n"})
        return 200, {"url": url, "id": name, "name": name}

    def _object(self, asked: dict) -> dict:
        href = f"{self.hub.address}/blob/{asked['oid']}"
        return {**asked, "actions": {"upload": {"href": href}}}

    def _commit(self, repository: Repository, name: str, body: bytes) -> tuple[int, object]:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                repository.commits.append(value["summary"])
            elif line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.hub.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del repository.files[value["path"]]
            else:
                raise AssertionError(line["key"])
        url = f"{self.hub.address}/datasets/{name}/commit/{'1' * 40}"
        return 200, {"success": True, "commitOid": "1" * 40, "commitUrl": url, "hookOutput": "", "pullRequestUrl": None}


def _mode(path: str) -> str:
    return "regular" if path.endswith((".md", ".json", "NOTICE")) else "lfs"


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve an empty hub."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
