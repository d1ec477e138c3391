"""Pictures and tools: a conversation of five calls with three pictures, the PNG files, and the tail of 64 fits at once.

**Loop.** `crop`, `fit_contour` and `ruler`, each with a picture, `pixel_spacing` and `python`, asked by a whole run of
the offline model `scripted` over the demo samples with images of 512x512: graph, tools, pictures and store, but no
server. CPU time per conversation, of the process and its children, without imports. The other side is the same run in
turns with ours, with PNG files at zlib's level 6 and libpng's own choice of filters, and a new interpreter for each
call of `python`.

**PNG.** Every setting of the encoder on the demo images, as sent and with an overlay: chosen on one half of the images
(a hash of the name), the smallest files among the fastest of those whose files are at most a tenth (grey) or a fifth
(colour) larger than at level 6, and judged on the other half. The pixels must come back.

**Tail.** How late a task of the event loop that wants to run every 5 ms is while 64 fits run, and while nothing does.

Usage: python benchmarks/pictures.py [loop] [png] [tail]
"""

import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.agent.threads import in_thread
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.tools.fit_contour import fit_contour
from medvision_agent.tools.ruler import ruler
from medvision_agent.tools.sandbox.children import CHILDREN
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

DEMO = Path(import_module("medvision_agent.eval").__path__[0]) / "data" / "demo"
REGION = {"x0": 0.25, "y0": 0.3, "x1": 0.6, "y1": 0.7}
TURNS = [
    [{"name": "crop", "args": REGION | {"zoom": 2}}],
    [{"name": "fit_contour", "args": REGION}],
    [{"name": "ruler", "args": REGION}],
    [{"name": "pixel_spacing", "args": {}}],
    [{"name": "python", "args": {"code": "import math\nmath.hypot(12.5 * 0.7, 8.1 * 0.7)"}}],
    "<answer>1</answer>",
]
ROUNDS = 3
COPIES = 2
"""Conversations about each sample, so that what is paid once for a run weighs little; no two have the same image."""
FITS = 64
TICK = 0.005
FILTERS = {"sub": 16, "up": 32, "avg": 64, "paeth": 128}
STRATEGIES = {"default": 0, "filtered": 1, "rle": 3}
LARGER = {"grey": 1.1, "colour": 1.2}
"""How much larger than at level 6 files may be."""
ALIKE = 1.15
"""CPU times that differ by less are alike: then the smaller files are chosen."""
Pixels = NDArray[np.uint8]


def main() -> None:
    """Print one line for each part named, or for all."""
    parts: dict[str, Callable[[], str]] = {"loop": loop, "png": png, "tail": tail}
    for name in sys.argv[1:] or parts:
        print(f"{name}: {parts[name]()}")


def loop() -> str:
    """Measure the conversation, alternating with the other side."""
    spent: dict[str, list[float]] = {"ours": [], "other": []}
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "turns.json").write_text(json.dumps(TURNS))
        samples = _samples(root / "samples.jsonl")
        _run(root, "warm")
        for turn in range(ROUNDS):
            spent["ours"].append(_run(root, f"ours{turn}") / samples)
            with _as_before():
                spent["other"].append(_run(root, f"other{turn}") / samples)
    ours, other = (statistics.median(times) * 1000 for times in spent.values())
    return f"{samples} conversations: {ours:.0f} ms of CPU each, other side {other:.0f} ms: {other / ours:.1f}x less"


def _samples(file: Path) -> int:
    """Write the demo samples whose image has 512x512 pixels, each moved sideways several times; return how many."""
    rows = json.loads((DEMO / "samples.json").read_text())
    large = [row for row in rows if _image(row["image"]).shape == (512, 512)]
    (file.parent / "images").mkdir()
    copies = list[dict[str, Any]]()
    for row, copy in product(large, range(COPIES)):
        name = f"{copy}_{row['image'].rpartition('/')[2]}"
        cv2.imwrite(str(file.parent / "images" / name), np.roll(_image(row["image"]), copy, axis=1))
        copies.append(row | {"id": f"{row['id']}_{copy}", "image": f"images/{name}"})
    file.write_text("".join(f"{json.dumps(row)}\n" for row in copies))
    return len(copies)


def _image(name: str) -> Pixels:
    return np.asarray(cv2.imread(str(DEMO / name), cv2.IMREAD_UNCHANGED), np.uint8)


def _run(root: Path, name: str) -> float:
    """Return the CPU seconds of a run, its children's too."""
    settings = Settings(
        model="scripted", script=str(root / "turns.json"), data=str(root / "samples.jsonl"), out=root / name
    )
    prepared = prepare(settings)
    start = _cpu()
    run = asyncio.run(execute(prepared, watch=Watch(), stop=asyncio.Event()))
    CHILDREN.close()  # what it took counts when it has ended
    spent = _cpu() - start
    for record in run.records:
        uses = [(use.ok, use.picture_shown) for use in record.tool_uses]
        if uses != [(True, True)] * 3 + [(True, None)] * 2:
            raise SystemExit(f"loop: {record.sample.id}: {record.outcome} {record.detail} {uses}")
    return spent


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def _as_before() -> Iterator[None]:
    graph, toolbox = (import_module(f"medvision_agent.agent.{name}") for name in ("graph", "toolbox"))
    files = patch.object(graph, "encode_png", level_6), patch.object(toolbox, "encode_png", level_6)
    with files[0], files[1], patch.object(CHILDREN, "start", _new_server):
        yield


def _new_server(request: bytes) -> Any:
    """Start a child as earlier versions did: with its own interpreter."""
    own = type(CHILDREN)()
    child = own.start(request)
    end = child.end

    def ended() -> int:
        status = end()
        own.close()
        return status

    child.end = ended  # type: ignore[method-assign]
    return child


def level_6(pixels: Pixels) -> bytes:
    """Return a PNG file as earlier versions wrote it."""
    return _file(pixels, (cv2.IMWRITE_PNG_COMPRESSION, 6))


def _file(pixels: Pixels, settings: tuple[int, ...]) -> bytes:
    return cv2.imencode(".png", pixels if pixels.ndim == 2 else pixels[:, :, ::-1].copy(), settings)[1].tobytes()


def png() -> str:
    """Choose the settings on one half of the images, and judge them on the other."""
    shown: dict[str, list[tuple[int, Pixels]]] = {"grey": [], "colour": []}
    for file in sorted((DEMO / "images").iterdir()):
        half = int(sha256(file.name.encode()).hexdigest(), 16) % 2
        views = _views(_image(f"images/{file.name}"))
        shown["grey"].append((half, views.whole.pixels))
        reply = ruler.call(views, REGION)
        shown["colour"].append((half, reply.picture.pixels))  # type: ignore[union-attr]
    return "; ".join(_settings_of(kind, pictures) for kind, pictures in shown.items())


def _settings_of(kind: str, pictures: list[tuple[int, Pixels]]) -> str:
    chosen, judged = ([pixels for half, pixels in pictures if half == which] for which in (0, 1))
    found = {
        (level, name, row): _taken(chosen, _settings(level, name, row))
        for level, name, row in product((1, 2, 3), STRATEGIES, FILTERS)
    }
    level_6_bytes = _taken(chosen, (cv2.IMWRITE_PNG_COMPRESSION, 6))[1]
    allowed = {one: taken for one, taken in found.items() if taken[1] <= LARGER[kind] * level_6_bytes}
    least = min(seconds for seconds, _ in allowed.values())
    best = min((one for one in allowed if allowed[one][0] <= ALIKE * least), key=lambda one: allowed[one][1])
    ours, theirs = _taken(judged, None), _taken(judged, (cv2.IMWRITE_PNG_COMPRESSION, 6))
    pixels = sum(one.shape[0] * one.shape[1] for one in judged) / 1e6
    return (
        f"{kind}: chosen on {len(chosen)}: level {best[0]}, {best[1]}, {best[2]}; on the other {len(judged)}, as "
        f"shipped: {ours[0] / pixels * 1000:.1f} ms a megapixel against {theirs[0] / pixels * 1000:.1f} ms at level 6: "
        f"{theirs[0] / ours[0]:.1f}x less CPU, {ours[1] / theirs[1]:.2f}x the bytes"
    )


def _settings(level: int, strategy: str, filters: str) -> tuple[int, ...]:
    return (
        *(cv2.IMWRITE_PNG_COMPRESSION, level),
        *(cv2.IMWRITE_PNG_STRATEGY, STRATEGIES[strategy]),
        *(cv2.IMWRITE_PNG_FILTER, FILTERS[filters]),
    )


def _taken(pictures: list[Pixels], settings: tuple[int, ...] | None) -> tuple[float, int]:
    """Return CPU seconds and bytes of the files with these settings; None: with the settings of this program."""
    start = time.process_time()
    files = [encode_png(pixels) if settings is None else _file(pixels, settings) for pixels in pictures]
    seconds, size = time.process_time() - start, sum(map(len, files))
    if not all(np.array_equal(_read(file), pixels) for file, pixels in zip(files, pictures, strict=True)):
        raise SystemExit("png: other pixels come back")
    return seconds, size


def _read(file: bytes) -> Pixels:
    read = np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
    return read if read.ndim == 2 else read[:, :, ::-1]


def _views(pixels: Pixels) -> ViewSet:
    return ViewSet(grey_slice(pixels, Spacing(0.7, 0.7)), Native())


def tail() -> str:
    """Measure how late the event loop is while fits run in the threads of tools, and in those of asyncio."""
    image = _image("images/pyrad_lung1_z33.png")

    def fit() -> int:
        picture = fit_contour.call(_views(image), REGION).picture
        return 0 if picture is None else len(encode_png(picture.pixels))

    async def nothing() -> None:
        await asyncio.sleep(2)

    async def ours() -> None:
        await asyncio.gather(*(in_thread(fit_contour, fit) for _ in range(FITS)))

    async def theirs() -> None:
        await asyncio.gather(*(asyncio.to_thread(fit) for _ in range(FITS)))

    fit()
    late: dict[str, list[list[float]]] = {"idle": [], "ours": [], "asyncio's": []}
    for _ in range(ROUNDS):
        for (_, rounds), work in zip(late.items(), (nothing, ours, theirs), strict=True):
            rounds.append(asyncio.run(_lateness(work)))
    texts = []
    for name, rounds in late.items():
        half, most = (statistics.median(np.percentile(one, which) for one in rounds) * 1000 for which in (50, 99))
        texts.append(f"{name} {half:.1f} and {most:.1f} ms")
    return f"{FITS} fits at once, lateness at the 50th and the 99th percentile: {', '.join(texts)}"


async def _lateness(work: Callable[[], Awaitable[None]]) -> list[float]:
    """Return by how many seconds a task that sleeps for TICK is late each time, while *work* is done."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - start - TICK)

    ticking = asyncio.create_task(tick())
    await work()
    ticking.cancel()
    return late


if __name__ == "__main__":
    main()
