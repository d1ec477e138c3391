"""Data for the viewer's page, made up in the forms of ``eval/browse/forms.py``, as a server and as a folder.

A study ``s1`` of two arms, ``off`` (run ``r1``) and ``on`` (``r2``), on the same samples. Sample ``worst`` is the one
that tools harmed most: its answer was measured with the ruler in turn 5, elsewhere than the ground truth.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from medvision_agent.eval.browse.forms import (
    Arm,
    Call,
    Effect,
    Index,
    Mark,
    Means,
    Note,
    Number,
    Review,
    Reviews,
    Rows,
    RunLine,
    Scene,
    Shown,
    StudyPage,
    Talk,
    Turn,
    Words,
)
from medvision_agent.eval.browse.page import TYPES, page_files
from medvision_agent.eval.server.guard import HEADERS

COLOURS = {"off": "#6fb1f7", "on": "#e58a1f"}
WORST = "worst"
PICTURE = "a" * 64
TASKS = ("size", "distance")


def words(texts: list[str | None]) -> Words:
    values = list(dict.fromkeys(text for text in texts if text is not None))
    place = {text: at for at, text in enumerate(values)}
    return Words(values=tuple(values), at=tuple(-1 if text is None else place[text] for text in texts))


def rows(run: str, ids: list[str], losses: list[float | None], *, stamp: int = 1, text: str = "") -> Rows:
    """Return the samples of a run; those without a loss are not finished, and every seventh of ``on`` failed."""
    n, on = len(ids), run == "r2"
    done = [loss is not None for loss in losses]
    failed = [on and k % 7 == 3 and ids[k] != WORST for k in range(n)]
    outcome = ["no_answer" if bad else "answered" for bad in failed]
    place = ["elsewhere" if loss is not None and loss > 0.5 else "right" for loss in losses]
    return Rows(
        run=run,
        stamp=stamp,
        rows=tuple(range(n)),
        has_talk=tuple(int(one) for one in done),
        id=tuple(ids),
        task=words([TASKS[k % 2] for k in range(n)]),
        asked=words(["liver" if k % 3 else "left kidney" for k in range(n)]),
        dataset=words(["demo"] * n),
        modality=words(["CT" if k % 2 else "MR" for k in range(n)]),
        plane=words(["axial"] * n),
        subject=words([f"subject {k // 2}" for k in range(n)]),
        target=("20 mm",) * n,
        outcome=words([one if ready else None for one, ready in zip(outcome, done, strict=True)]),
        detail=words([""] * n),
        loss=tuple(losses),
        answer=tuple("44.1 mm" if one == WORST else "21 mm" for one in ids),
        text=tuple(text or f"The final message of {one}." for one in ids),
        place=words([one if ready else None for one, ready in zip(place, done, strict=True)]),
        forced=tuple(int(on and k % 10 == 4) for k in range(n)),
        tools=words([("crop ruler" if k % 2 else "ruler") if on else "" for k in range(n)]),
        calls=tuple(2 * on for _ in range(n)),
        tool_errors=tuple(int(on and k % 5 == 2) for k in range(n)),
        turns=tuple(3 if on else 1 for _ in range(n)),
        tokens_in=(1200 if on else 300,) * n,
        tokens_out=(90,) * n,
        seconds=(4.5,) * n,
        cost_usd=(0.012 if on else 0.002,) * n,
    )


def shown() -> Shown:
    return Shown(
        name=PICTURE,
        width=160,
        height=120,
        storage="grey8",
        slope=1,
        intercept=0,
        unit="grey level",
        low=0,
        high=255,
        pixel_width_mm=0.5,
        pixel_height_mm=0.5,
        about="the image as sent",
    )


def turn(number: int, role: str, text: str = "", **more: Any) -> Turn:
    usual = {
        "thoughts": "",
        "pictures": (),
        "calls": (),
        "finish": "stop" if role == "assistant" else "",
        "version": "",
    }
    usual |= {"tokens_in": None, "tokens_out": 20 if role == "assistant" else None, "seconds": 1.5, "cut": False}
    return Turn.model_validate({"number": number, "role": role, "text": text, **usual, **more})


def call(number: int, **more: Any) -> Call:
    usual = {"tool": "ruler", "arguments": '{"x0": 0.1, "x1": 0.9}', "ok": True, "result": '{"mm": 44.0987}'}
    usual |= {"picture": None, "shown": True, "picture_shown": None, "seconds": 0.02, "failure": ""}
    return Call.model_validate({"number": number, **usual, **more})


def talk(run: str, row: int, sample: str, *, text: str = "", place: str = "right") -> Talk:
    """Return a conversation: of ``off`` one reply, of ``on`` two calls and a reply in turn 7."""
    on = run == "r2"
    answer = "44.1 mm" if sample == WORST and on else "21 mm"
    line = ((20.0, 20.0), (108.0, 20.0))
    turns = [turn(1, "system", "You measure."), turn(2, "user", "How long is it? " * 60, pictures=(PICTURE,))]
    marks = [
        Mark(
            layer="truth", kind="line", points=((60, 70), (100, 70)), name="truth", value="20 mm", turn=None, call=None
        )
    ]
    if on:
        crop = call(1, tool="crop", result='{"view": "v1"}', picture=PICTURE, picture_shown=True)
        turns += [turn(3, "assistant", thoughts="First I look closer.", calls=(crop,)), turn(4, "user", "Tool output")]
        failed = call(2, ok=False, result="", failure="x1 must lie in the image")
        turns += [turn(5, "assistant", text, calls=(failed, call(3))), turn(6, "user", "Tool output")]
        marks.append(
            Mark(layer="tool", kind="line", points=line, name="ruler", value="44.1 mm", turn=5, call=3, tool="ruler")
        )
        marks.append(Mark(layer="answer", kind="line", points=line, name="answer", value="44.1 mm", turn=7, call=None))
    turns.append(turn(len(turns) + 1, "assistant", text or f"<answer>{answer}</answer>"))
    loss = Number(name="loss", value=0.9 if on else 0.1, unit="")
    return Talk(
        run=run,
        row=row,
        id=sample,
        outcome="answered",
        detail="",
        target="20 mm",
        answer=answer,
        numbers=(loss, Number(name="MAE", value=24.1, unit="mm")),
        made_of=("length: 44.1 from ruler (44.1)",) if on else (),
        read_by=("second: 12.5 mm (loss 0.250; both read, not the same)",) if on else (),
        decided=("renal-tumour-size: ground truth T1b, answer T1a",) if on else (),
        place=place,
        turns=tuple(turns),
        scene=Scene(shown=shown(), marks=tuple(marks), missing=()),
        no_scene="",
    )


def picture() -> bytes:
    grey = np.tile(np.linspace(20, 220, 160).astype(np.uint8), (120, 1))
    return cv2.imencode(".png", grey)[1].tobytes()


class Site:
    """The data of a page; values may be replaced while it is served."""

    def __init__(self, count: int = 40, *, text: str = "", name: str = "made") -> None:
        self.ids = [WORST if k == 11 else f"sample-{k:05d}" for k in range(count)]
        self.text, self.name = text, name
        self.off: list[float | None] = [(k * 7 % 30) / 100 for k in range(count)]
        self.on: list[float | None] = [(k * 11 % 40) / 100 for k in range(count)]
        if count > 11:
            self.off[11], self.on[11] = 0.1, 0.9
        self.stamp, self.state = 1, "finished"
        self.notes: dict[str, list[Review]] = {"r1": [], "r2": []}

    def index(self, *, live: bool) -> Index:
        return Index(
            program="medvision-agent",
            title=self.name,
            live=live,
            bounded="" if live else "A bundle of all samples.",
            runs=(self._run("r1", "off", self.off), self._run("r2", "on", self.on)),
            studies=(self._study(),),
            notes=(),
        )

    def _run(self, key: str, arm: str, losses: list[float | None]) -> RunLine:
        done = [loss for loss in losses if loss is not None]
        mean = Means(task="size", loss=0.25, success_rate=0.9, scored=len(done), subjects=len(done))
        return RunLine(
            key=key,
            name=f"{self.name}/{arm}",
            study="s1",
            arm=arm,
            colour=COLOURS[arm],
            epoch=1,
            wording=1,
            canary=False,
            model="a-model",
            condition=arm,
            source="demo",
            synthetic=False,
            planned=len(losses),
            done=len(done),
            infrastructure=0,
            means=(mean,),
            cost_usd=0.5,
            state=self.state if arm == "on" else "finished",
            note="",
            begun_at="2026-01-01T00:00:00Z",
            stamp=self.stamp,
        )

    def _study(self) -> StudyPage:
        effect = Effect(
            task="size",
            model="a-model",
            source="",
            contrast="off -> on",
            before="off",
            after="on",
            primary=True,
            effect=0.031,
            low=-0.01,
            high=0.07,
            worst=0.8,
            pairs=20,
            subjects=20,
            wins=8,
            ties=2,
            losses=10,
            elsewhere=0.1,
            cost_ratio=6.0,
            claim=False,
            why_not="the interval holds zero",
        )
        arms = [
            Arm(name=name, model="a-model", condition=name, colour=COLOURS[name], runs=(key,))
            for key, name in (("r1", "off"), ("r2", "on"))
        ]
        return StudyPage(
            key="s1",
            name=self.name,
            arms=tuple(arms),
            tasks=TASKS,
            headline=("Tools neither helped nor harmed beyond what chance explains.",),
            effects=(
                effect,
                effect.model_copy(update={"task": "distance", "effect": 0.02, "low": None, "high": None}),
            ),
            caveats=("Demonstration data.",),
            state=self.state,
            note="",
        )

    def rows(self, run: str) -> Rows:
        return rows(run, self.ids, self.on if run == "r2" else self.off, stamp=self.stamp, text=self.text)

    def talk(self, run: str, row: int) -> Talk:
        place = "elsewhere" if self.ids[row] == WORST and run == "r2" else "right"
        return talk(run, row, self.ids[row], text=self.text, place=place)

    def note(self, run: str, note: Note) -> Reviews:
        review = Review(id=self.ids[note.row], verdict=note.verdict, comment=note.comment, at="2026-01-01T00:00:00Z")
        self.notes[run] = [one for one in self.notes[run] if one.id != review.id] + [review]
        return self.reviews(run)

    def reviews(self, run: str) -> Reviews:
        return Reviews(run=run, reviews=tuple(self.notes[run]), damaged=0)

    def value(self, part: str) -> Any:
        """Return what a server has under a part."""
        kind, *rest = part.split("/")
        if kind == "index":
            return self.index(live=True)
        return self.talk(rest[0], int(rest[1])) if kind == "talks" else getattr(self, kind)(rest[0])

    def bundle(self, folder: Path, talks: int = 15) -> Path:
        """Write the site as a folder that opens from disk."""
        parts: dict[str, Any] = {"index": self.index(live=False)}
        for run in ("r1", "r2"):
            parts |= {f"rows/{run}": self.rows(run), f"reviews/{run}": self.reviews(run)}
            parts |= {f"talks/{run}/{row}": self.talk(run, row) for row in range(min(talks, len(self.ids)))}
        texts = {part: value.model_dump_json() for part, value in parts.items()}
        texts[f"shown/{PICTURE}"] = json.dumps(f"data:image/png;base64,{base64.b64encode(picture()).decode()}")
        for part, text in texts.items():
            file = folder / "data" / f"{part}.js"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f'medvision("{part}", {text.replace("<", chr(92) + "u003c")});\n', encoding="utf-8")
        (folder / "pictures").mkdir()
        (folder / "pictures" / f"{PICTURE}.png").write_bytes(picture())
        for name, content in page_files().items():
            (folder / name).write_bytes(content)
        return folder


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve a site with the headers of the viewer's own server; yield the address."""
    files = page_files()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].lstrip("/") or "index.html"
            if path in files:
                self._send(files[path], TYPES[path.rpartition(".")[2]])
            elif path == f"pictures/{PICTURE}.png":
                self._send(picture(), "image/png")
            else:
                self._send(site.value(path.removeprefix("data/")).model_dump_json().encode(), "application/json")

        def do_POST(self) -> None:
            note = Note.model_validate_json(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(site.note(self.path.rpartition("/")[2], note).model_dump_json().encode(), "application/json")

        def _send(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
