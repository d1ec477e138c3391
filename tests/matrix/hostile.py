"""Input made to harm: files of models, samples and studies, and what a server may send back.

Each is refused, or its sample fails, in words: a known exit code, no traceback, a bounded printable message.
What the files hold is in ``inputs.py`` and ``bodies.py``.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from matrix.bodies import BODIES
from matrix.children import End, Plan, run
from matrix.inputs import IMAGES, MODELS, SAMPLES, STUDIES, Made
from matrix.row import Row, seeded
from matrix.samples import line, write_samples
from matrix.server import ByModel, row, serving

WORKERS = 3
LONGEST = 6000
"""Characters of a message; nobody reads more."""
ENDS = frozenset({0, 1, 2})


def matrix(folder: Path, seed: int, at_most: int | None = None) -> list[Row]:
    """Give the program each hostile input, or *at_most* so many of each kind, chosen by the seed."""
    rng = seeded(seed, "hostile")
    data = write_samples(folder / "good", 2)
    with serving() as server, ThreadPoolExecutor(WORKERS) as pool:
        rows = []
        kinds = {
            "files of models": (MODELS, _models),
            "files of samples": (SAMPLES, _samples),
            "images": (IMAGES, _images),
            "studies": (STUDIES, _study),
            "replies of a server, both wires": (BODIES, _reply),
        }
        for number, (what, (inputs, attempt)) in enumerate(kinds.items()):
            chosen = list(inputs) if at_most is None else rng.sample(list(inputs), at_most)
            result = Row("hostile", what, "inputs")
            places = [folder / f"{number}-{at}" for at in range(len(chosen))]
            for place in places:
                place.mkdir()
            waiting = [
                pool.submit(attempt, place, inputs[name], data, server)
                for name, place in zip(chosen, places, strict=True)
            ]
            for name, one in zip(chosen, waiting, strict=True):
                with result.trial(name):
                    for allowed, end in one.result():
                        _judge(result, name, end, allowed)
            rows.append(result.done())
        return rows


def _judge(row: Row, name: str, end: End, allowed: frozenset[int]) -> None:
    said = end.out + end.err
    steering = [letter for letter in said if not letter.isprintable() and letter not in "\n\t"]
    if end.code is None:
        row.fault("over", f"{name}: {end.last_words}")
    elif end.code not in allowed or "Traceback" in said or len(end.err) > LONGEST or steering:
        row.fault("mistyped", f"{name}: {steering[:3]} {end.last_words}")


def _run(place: Path, *words: object) -> End:
    return run(Plan(("run", "--out", "out", *map(str, words)), place, "hostile"))


def _models(place: Path, made: Made, data: Path, server: ByModel):
    file = _write(place / "models.yaml", made.content)
    words = ("--models", file, "--model", "mine", "--data", data, "--tools", "off")
    return [(made.codes, _run(place, *words))]


def _samples(place: Path, made: Made, data: Path, server: ByModel):
    (place / "0.png").write_bytes((data.parent / "0.png").read_bytes())
    file = _write(place / "samples.jsonl", made.content)
    return [(made.codes, _run(place, "--model", "baseline-prior", "--data", file))]


def _images(place: Path, made: Made, data: Path, server: ByModel):
    _write(place / "0.png", made.content)
    file = _write(place / "samples.jsonl", json.dumps(line(0)))
    return [(made.codes, _run(place, "--model", "baseline-prior", "--data", file))]


def _study(place: Path, made: Made, data: Path, server: ByModel):
    file = _write(place / "study.yaml", made.content.replace("DATA", str(data)))
    return [(made.codes, run(Plan(("ablate", str(file), "--out", "out"), place, "hostile")))]


def _reply(place: Path, made: Made, data: Path, server: ByModel):
    """Answer with a body on either wire: whatever is in it, the run ends in words, and is scored and shown."""
    ends = []
    for wire in ("chat", "gemini"):
        model = f"{place.name}-{wire}"
        server.replies[model] = [made.content]
        fields = row(server, wire, model, api_key_env=None) if wire == "chat" else row(server, wire, model)
        file = _write(place / f"{wire}.yaml", json.dumps({"mine": fields}))
        words = (
            "--models",
            file,
            "--model",
            "mine",
            "--data",
            data,
            "--limit",
            1,
            "--tools",
            "ruler",
            "--no-probe",
        )
        end = run(Plan(("run", "--out", wire, *map(str, words)), place, wire))
        ends.append((made.codes, end))
        if (place / wire / "run.sqlite").exists():
            ends.append((ENDS, run(Plan(("why", wire), place, f"{wire}-why"))))
    return ends


def _write(path: Path, content) -> Path:
    if callable(content):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path
