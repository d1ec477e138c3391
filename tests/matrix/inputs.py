"""Files that mean harm: of models, samples and studies, and images. Each with the exit codes that are right for it."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from matrix.samples import line

REFUSED = frozenset({2})
FAILED = frozenset({1})
TAKEN = frozenset({0})


class Made(NamedTuple):
    """An input, and how the program must end with it."""

    content: str | bytes | Callable[[Path], object] | dict
    codes: frozenset[int] = REFUSED


ROW = "mine: {provider: openai, model: m, base_url: 'http://127.0.0.1:9', api_key_env: null, perceived: {rule: native}"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)
DEEP = "[" * 5000 + "]" * 5000

MODELS = {
    "empty": Made(""),
    "binary": Made(os.urandom(2000)),
    "UTF-16": Made("mine: {}".encode("utf-16")),
    "a list": Made("- mine"),
    "a number": Made("7"),
    "a bomb of aliases": Made(BOMB),
    "aliases in a circle": Made("mine: &a {provider: *a}"),
    "a tag that runs": Made("mine: !!python/object/apply:os.system ['touch out']"),
    "deep brackets": Made(f"mine: {DEEP}"),
    "a key given twice": Made(f"{ROW}, model: n}}"),
    "an unknown key": Made(f"{ROW}, modle: n}}"),
    "extends itself": Made("mine: {extends: mine}"),
    "extends in a circle": Made("mine: {extends: b}\nb: {extends: mine}"),
    "a control character in base_url": Made(ROW.replace("127.0.0.1:9", "a\\x1b[2J") + "}"),
    "a line break in base_url": Made(ROW.replace("'http://127.0.0.1:9'", '"http://a\\nb"') + "}"),
    "a port that is none": Made(ROW.replace(":9'", ":99999'") + "}"),
    "a file as base_url": Made(ROW.replace("http://127.0.0.1:9", "file:///etc/passwd") + "}"),
    "no host in base_url": Made(ROW.replace("http://127.0.0.1:9", "http://") + "}"),
    "temperature NaN": Made(f"{ROW}, temperature: .nan}}"),
    "temperature infinite": Made(f"{ROW}, temperature: .inf}}"),
    "a negative time-out": Made(f"{ROW}, timeout_seconds: -1}}"),
    "an endless time-out": Made(f"{ROW}, timeout_seconds: .inf}}"),
    "tries without end": Made(f"{ROW}, max_tries: {10**30}}}"),
    "a number of many digits": Made(f"{ROW}, max_output_tokens: {'9' * 5000}}}"),
    "an unknown provider": Made("mine: {provider: os, model: system}"),
    "a class that is none of LangChain's": Made(
        "mine: {provider: langchain, factory: 'os:system', perceived: {rule: native}}"
    ),
    "a price below nothing": Made(f"{ROW}, prices: {{input: -1, output: 1}}}}"),
    "half a character": Made('mine: {provider: openai, model: "\\ud800"}'),
    "a size that is none": Made(ROW.replace("rule: native", "rule: fixed, height: 0, width: -3") + "}"),
    "bidirectional letters in a name": Made(ROW.replace("model: m", 'model: "a\\u202Eb"') + "}", REFUSED | FAILED),
}
"""``--models FILE``."""


def _line(**fields: object) -> str:
    return json.dumps(line(0, **fields)) + "\n"


SAMPLES = {
    "empty": Made(""),
    "binary": Made(os.urandom(2000)),
    "a byte order mark": Made(b"\xef\xbb\xbf" + _line().encode(), REFUSED | TAKEN),
    "a list": Made("[1, 2]\n"),
    "deep brackets": Made(DEEP + "\n"),
    "half a line": Made(_line()[:50]),
    "target NaN": Made(_line().replace("[8.0]", "[NaN]")),
    "target infinite": Made(_line().replace("[8.0]", "[1e999]")),
    "target of many digits": Made(_line().replace("[8.0]", f"[{'9' * 5000}]")),
    "pixels without a size": Made(_line(pixel_size={"height_mm": 0, "width_mm": 0.5})),
    "pixels of negative size": Made(_line(pixel_size={"height_mm": -1, "width_mm": 0.5})),
    "pixels of size NaN": Made(_line().replace('"height_mm": 1.0', '"height_mm": NaN')),
    "an id given twice": Made(_line() * 2),
    "an id that steers a terminal": Made(_line(id="\x1b[2J\x07"), REFUSED | TAKEN),
    "an id a million letters long": Made(_line(id="x" * 10**6), REFUSED | TAKEN),
    "an id that is a path": Made(_line(id="../../x"), REFUSED | TAKEN),
    "half a character in an id": Made(_line().replace('"s0"', '"\\ud800"')),
    "an image elsewhere": Made(_line(image="../../../../etc/passwd"), REFUSED | FAILED),
    "an image without end": Made(_line(image="/dev/zero"), REFUSED | FAILED),
    "a folder as an image": Made(_line(image="."), REFUSED | FAILED),
    "an image that is an address": Made(_line(image="http://127.0.0.1:9/x.png"), REFUSED | FAILED),
    "NUL in the name of an image": Made(_line(image="a\0b.png"), REFUSED | FAILED),
    "an unknown task": Made(_line(task="__import__('os')")),
    "an unknown field": Made(_line(extra=1)),
    "a template in a landmark": Made(_line(landmarks=["{{ 7 * 7 }}", "{% for x in range(10**9) %}"]), TAKEN | REFUSED),
    "landmarks without end": Made(_line(landmarks=["x"] * 10_000)),
    "a subject that is a list": Made(_line(subject=["d/1"])),
}
"""``--data FILE.jsonl``."""


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


UNREADABLE = REFUSED | FAILED
IMAGES = {
    "empty": Made(b"", UNREADABLE),
    "no image": Made(os.urandom(3000), UNREADABLE),
    "a script": Made("<svg onload='alert(1)'/>", UNREADABLE),
    "cut off": Made(_png(25, 20, bytes(26 * 20))[:60], UNREADABLE),
    "too few rows": Made(_png(25, 20, bytes(26 * 3)), UNREADABLE | TAKEN),
    "a billion pixels": Made(_png(2**31 - 1, 2**31 - 1, b"x"), UNREADABLE),
    "a gigabyte of nothing": Made(_png(32_000, 32_000, bytes(2**22)), UNREADABLE),
    "no pixels": Made(_png(0, 0, b""), UNREADABLE),
    "a pipe": Made(os.mkfifo, UNREADABLE),
    "a link to itself": Made(lambda path: path.symlink_to(path), UNREADABLE),
    "a folder": Made(lambda path: path.mkdir(), UNREADABLE),
    "a device": Made(lambda path: path.symlink_to("/dev/zero"), UNREADABLE),
}
"""The image of a good sample."""

GOOD = "name: s\nmodels: [baseline-prior]\ndata: DATA\n"
STUDIES = {
    "empty": Made(""),
    "a list": Made("[a]"),
    "binary": Made("\x00\x01\x02"),
    "a bomb of aliases": Made(GOOD + BOMB),
    "aliases in a circle": Made(f"{GOOD}arms: &a {{x: *a}}"),
    "a tag that runs": Made(f"{GOOD}arms: !!python/object/apply:os.system ['touch out']"),
    "deep brackets": Made(f"{GOOD}arms: {DEEP}"),
    "no arms": Made(f"{GOOD}arms: {{}}"),
    "an arm that is a path": Made(f"{GOOD}arms: {{'../../x': {{tools: off}}}}", TAKEN),
    "a name that is a path": Made(GOOD.replace("name: s", "name: ../../s") + "arms: {a: {tools: off}}"),
    "an unknown tool": Made(f"{GOOD}arms: {{a: {{tools: 'os.system'}}}}"),
    "epochs without end": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\nepochs: {10**12}"),
    "connections without end": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\nmax_connections: {10**12}", REFUSED | TAKEN),
    "no connection": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\nmax_connections: -1"),
    "an alpha that is none": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\nalpha: .nan"),
    "a budget that is none": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\nbudget: {{usd: -5}}"),
    "a number of many digits": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\nlimit: {'9' * 5000}"),
    "data that is not there": Made(GOOD.replace("DATA", "/nowhere/x.jsonl") + "arms: {a: {tools: off}}"),
    "data without end": Made(GOOD.replace("DATA", "/dev/zero") + "arms: {a: {tools: off}}"),
    "an unknown model": Made(GOOD.replace("baseline-prior", "'../../etc/passwd'") + "arms: {a: {tools: off}}"),
    "a tools file elsewhere": Made(f"{GOOD}arms: {{a: {{tools: off}}}}\ntools_from: /etc/passwd"),
}
"""``ablate STUDY.yaml``."""
