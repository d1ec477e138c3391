"""Stored runs of any size: a few samples are asked of a fake server, and the others are stored as varied copies.

The arm ``on`` has five tool calls and three pictures to a sample, the arm ``off`` none. What differs between two
samples of a real run differs here too: ids, subjects, dates, names of pictures, answers and all numbers of results.
All is stored by the program's own writer, without flushes, and of pictures only those of questions. One sample is left
to be asked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

import medvision_agent as mva
from medvision_agent.agent.trace import Trace
from medvision_agent.eval.asking.launch import Prepared, prepare
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.files import PICTURES
from medvision_agent.eval.store.read import open_run, read_traces
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore
from medvision_agent.tools.view.png import encode_png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ARMS", "Made", "make_runs", "settings_of"]

ARMS = ("off", "on")
ASKED = 40
"""Samples that are really asked, each with an image of its own."""
SERVER = Path(__file__).parents[1] / "tests" / "fake" / "server.py"
USAGE = {"input": 2310, "output": 96, "reasoning": 40, "cached": 0}
BOX = {"x0": 0.2, "y0": 0.25, "x1": 0.7, "y1": 0.75}
CALLS = [
    ["pixel_spacing", {}],
    ["crop", {"view": "v0", **BOX}],
    ["fit_contour", {"view": "v0", **BOX}],
    ["ruler", {"view": "v0", "x0": 0.3, "y0": 0.5, "x1": 0.62, "y1": 0.5}],
    ["python", {"code": "round(12.25 * 2.5, 2), round(8.5 * 1.25, 2)"}],
]
_VARIES = re.compile(r"[0-9a-f]{64}|lc_run--[0-9a-f-]{36}|chatcmpl-\d+|call_\d+_\d+|(?<=\d)\.\d+")


def settings_of(root: Path, arm: str, out: Path, **given: Any) -> Settings:
    """Return the settings of an arm of the runs in *root*."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    return Settings(
        model="served",
        models_file=root / "models.yaml",
        data=str(root / "samples.jsonl"),
        tools=arm,
        out=out,
        unchecked=("shared-picture",),  # all samples share a few images, whoever their subject is
        **given,
    )


def make_runs(root: Path, count: int, arms: tuple[str, ...] = ARMS) -> None:
    """Store a run of *count* samples for each arm in a folder of *root*; all but the last sample are finished."""
    root.mkdir(parents=True)
    _write_samples(root, count)
    for arm in arms:
        seeds = _seeds(root, arm)
        _store(prepare(settings_of(root, arm, root / arm)), seeds, count - 1)


def _write_samples(root: Path, count: int) -> None:
    rng, lines = np.random.default_rng(1), []
    for number in range(min(ASKED, count)):
        rows, columns = np.mgrid[0:96, 0:128]
        inside = ((columns - 60) / 25) ** 2 + ((rows - 48) / 14) ** 2 < 1
        values = np.where(inside, 170, 60) + rng.normal(0, 6, inside.shape)
        (root / f"{number}.png").write_bytes(encode_png(values.clip(0, 255).astype(np.uint8)))
    for number in range(count):
        major, minor = (round(float(one), 2) for one in (40 + 10 * rng.random(), 20 + 10 * rng.random()))
        lines.append(
            {
                "id": f"synthetic_case{number // 3:06d}_{number % 3}__TumorLesionSize",
                "task": "size",
                "image": f"{number % ASKED}.png",
                "pixel_size": {"height_mm": 0.8, "width_mm": 0.8},
                "description": "An axial CT image of the abdomen",
                "modality": "CT",
                "plane": "axial",
                "label": "liver tumour",
                "target": [major, minor],
                "convention": "edge",
                "truth_points": [
                    {"name": "major 1", "x": 35.0, "y": 48.0},
                    {"name": "major 2", "x": 35.0 + major / 0.8, "y": 48.0},
                    {"name": "minor 1", "x": 60.0, "y": 34.0},
                    {"name": "minor 2", "x": 60.0, "y": 34.0 + minor / 0.8},
                ],
                "dataset": "Synthetic",
                "subject": f"Synthetic/case{number // 3:06d}",
            }
        )
    (root / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _seeds(root: Path, arm: str) -> list[tuple[str, str, Any]]:
    """Ask a fake server the first samples; return record, trace and probe of each as text."""
    answer = {"texts": ["The axes are <answer>45.125, 25.25</answer>"], "usage": USAGE}
    called = [{"calls": [call], "texts": ["I look closer."], "usage": USAGE} for call in CALLS]
    replies = root / "replies.json"
    replies.write_text(json.dumps({"by_turn": [*(called if arm == "on" else []), answer]}))
    rows = root / "models.yaml"
    with _served(replies, json.loads(rows.read_text())["served"]["base_url"] if rows.exists() else "") as url:
        row = {"provider": "openai", "model": "fake-vlm", "base_url": url, "perceived": {"rule": "native"}}
        rows.write_text(json.dumps({"served": {**row, "prices": {"input": 1.25, "output": 10.0}}}))
        mva.run(settings_of(root, arm, root / f"asked-{arm}", selection={"limit": ASKED}), progress=False)
    run = open_run(root / f"asked-{arm}")
    traces = dict(read_traces(run.folder))
    return [
        (record.model_dump_json(exclude={"sample"}), json.dumps(traces[record.sample.id]), run.probe)
        for record in run.records
    ]


@contextmanager
def _served(replies: Path, before: str) -> "Iterator[str]":
    """Start the fake server, at its address *before* if given, and yield the address, a part of a run's identity."""
    port = (urlsplit(before).port or 0) if before else 0
    command = [sys.executable, str(SERVER), "--port", str(port), "--script", str(replies)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    finally:
        server.terminate()
        server.wait()


class Made(Trace):
    """A trace whose text exists already."""

    text = "{}"

    def to_json(self) -> str:
        """Return the text."""
        return self.text


def _store(prepared: Prepared, seeds: list[tuple[str, str, Any]], count: int) -> None:
    rng, folder = Random(2), prepared.settings.out  # noqa: S311 - of no use to anyone else
    shutil.copytree(folder.with_name(f"asked-{folder.name}") / PICTURES, folder / PICTURES)
    with RunStore.create(folder, prepared.samples, prepared.identity, prepared.config()) as store:
        store._writer.do(lambda database: database.execute("PRAGMA synchronous = OFF"))
        if seeds[0][2] is not None:
            store.note_probe(seeds[0][2])
        for number, sample in enumerate(prepared.samples[:count]):
            content, text, _ = seeds[number % len(seeds)]
            kept = json.loads(content)["v0_sha256"]  # a resume looks at the images
            another = _varied(number, kept, rng)
            content, trace = _VARIES.sub(another, content), Made()
            trace.text = _VARIES.sub(another, text)
            store.add(Record.model_validate({**json.loads(content), "sample": sample}), trace)


def _varied(number: int, kept: str, rng: Random) -> "Callable[[re.Match[str]], str]":
    """Return a replacement for a hash, an id or the decimals of a number: equal texts in one sample get equal ones.

    One hash is *kept*.
    """
    known = {kept: kept}

    def varied(found: re.Match[str]) -> str:
        old = found[0]
        if old not in known:
            known[old] = _another(old, number, rng)
        return known[old]

    return varied


def _another(old: str, number: int, rng: Random) -> str:
    if old[0] == ".":
        places = min(len(old) - 1, 3)  # the digits that vary from image to image
        return f"{old[:-places]}{rng.randrange(10**places):0{places}d}"
    fresh = sha256(f"{number} {old}".encode()).hexdigest()
    if old.startswith("lc_run"):
        return f"lc_run--01a2{fresh[:4]}-{fresh[4:8]}-7{fresh[8:11]}-{fresh[11:15]}-{fresh[15:27]}"
    return fresh if len(old) == len(fresh) else f"{old[:5]}{fresh[:24]}"
