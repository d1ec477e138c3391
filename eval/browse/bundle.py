"""The viewer as a folder that needs no server: the page's files, its data as classic scripts, and the images.

Contract: the folder appears whole or not at all, in place of an earlier bundle if there is one; a folder that holds
anything else is never touched. The same store gives the same bytes. Names of files are keys, numbers and hashes. In the
scripts, nothing that a model or a server wrote can end a string: ``<``, ``>`` and the line ends of JavaScript that JSON
does not know are written as escapes. Folders of this machine
are left out (``eval/data/folders.py``).
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from medvision_agent.errors import StorageError
from medvision_agent.eval.browse.chosen import Chosen, choose
from medvision_agent.eval.browse.forms import Reviews, Talk
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.line import Line
from medvision_agent.eval.browse.means import source_of
from medvision_agent.eval.browse.pairs import pairs_of
from medvision_agent.eval.browse.shown import UNREADABLE
from medvision_agent.placed import placed
from medvision_agent.tools.view.png import reduced
from medvision_agent.version import VERSION

__all__ = ["MARK", "Bundled", "write_bundle"]

MARK = "medvision-bundle.json"
"""A folder is recognised as a bundle by this file."""
MOST_PIXELS = 768
"""Longest side of an image in a conversation, in pixels."""
_REDUCED = f"Larger images in conversations are reduced to {MOST_PIXELS:,} pixels."
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True)
class Bundled:
    """Summary of a bundle that was written: its folder, what it holds, and its size."""

    folder: Path
    samples: int
    talks: int
    files: int
    size: int
    """Total size of all files, in bytes."""
    words: str
    """Sentences that say which samples are in the bundle; empty if all are."""
    left_out: tuple[str, ...]
    """Error messages about damaged conversations and images, which the bundle therefore lacks."""


def write_bundle(
    library: Library, page: Mapping[str, bytes], out: Path, most: int | None = None, *, notes: bool = True
) -> Bundled:
    """Write a bundle of *library* into the folder *out*, in place of an earlier bundle, and return a summary of it.

    *page* holds the viewer's built files by name. *most* is the largest number of samples; 0 means all, None means 100
    or fewer (``choose``). With *notes*, the bundle holds what people noted on samples. Raises StorageError if no run
    has samples, if the folder holds anything but an earlier bundle, or if it cannot be written.
    """
    _check(out)
    library.read_on()
    chosen = choose(_runs(library), pairs_of(library.index(live=False)), most)
    if not chosen.samples:
        raise StorageError(
            f"{', '.join(map(str, library.roots))}: no run with samples was found; give the folder of a run or of a "
            "study, or one that holds some"
        )
    with placed(out) as folder:
        folder.mkdir()
        written = _Bundle(library, folder, chosen, notes=notes)
        written.write(page)
        files = [file for file in folder.rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files)
    return Bundled(
        out, len(chosen.samples), written.talks, len(files), size, chosen.words, tuple(dict.fromkeys(written.left_out))
    )


def _check(out: Path) -> None:
    """Raise StorageError if a folder holds anything but a bundle; a missing or an empty folder is accepted."""
    if not out.exists():
        return
    try:
        names = {file.name for file in out.iterdir()}
        own = set(json.loads((out / MARK).read_text(encoding="utf-8"))["names"]) if names else set()
    except (OSError, ValueError, KeyError, TypeError):
        raise StorageError(
            f"{out}: not a bundle of the viewer, so it is not replaced; give another folder, or an empty one"
        ) from None
    if more := sorted(names - own):
        raise StorageError(
            f"{out}: the folder also holds {more[0]!r}, which does not belong to the bundle, so it is not replaced; "
            "give another folder"
        )


def _runs(library: Library) -> Iterator[tuple[str, str, Sequence[Line]]]:
    """Yield the key, the source and the lines of every run that is not a canary."""
    for run in library.runs.values():
        if run.place.canary:
            continue
        with library.opened(run.place.key, whole=True) as feed:
            yield run.place.key, source_of(feed), feed.lines


class _Bundle:
    """A bundle that is being written into an empty folder."""

    def __init__(self, library: Library, folder: Path, chosen: Chosen, *, notes: bool) -> None:
        self._library, self._folder, self._chosen, self._notes = library, folder, chosen, notes
        self._pictures, self._reduced = set[str](), False
        self._folders = library.folders
        self.talks = 0
        self.left_out: list[str] = []

    def write(self, page: Mapping[str, bytes]) -> None:
        """Write the viewer's page, the data of all runs, and the file that marks the folder as a bundle."""
        for name, content in page.items():
            (self._folder / name).write_bytes(content)
        for key in self._library.runs:
            self._run(key)
        bounded = " ".join(filter(None, (self._chosen.words, _REDUCED if self._reduced else "")))
        self._script("index", self._library.index(live=False, bounded=bounded))
        names = sorted({MARK, *(file.name for file in self._folder.iterdir())})
        mark = {"program": f"medvision-agent {VERSION}", "names": names}
        (self._folder / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")

    def _run(self, key: str) -> None:
        with self._library.opened(key, whole=True) as feed:
            source = source_of(feed)
            rows = [at for at, line in enumerate(feed.lines) if (source, line.id) in self._chosen.samples]
            finished = [at for at in rows if feed.lines[at].has_talk]
        lost = {at for at in finished if not self._talk(key, at)}
        found = self._library.rows(key, only=rows)
        has_talk = tuple(int(has and at not in lost) for at, has in zip(found.rows, found.has_talk, strict=True))
        self._script(f"rows/{key}", found.model_copy(update={"has_talk": has_talk}))
        notes = self._library.reviews(key) if self._notes else Reviews(run=key, reviews=(), damaged=0)
        self._script(f"reviews/{key}", notes)

    def _talk(self, key: str, row: int) -> bool:
        """Write the conversation in a row of the run *key*, with its images; return whether it could be read."""
        try:
            talk = self._library.talk(key, row)
        except StorageError as error:
            self.left_out.append(str(error))
            return False
        self._script(f"talks/{key}/{row}", _publishable(talk))
        self.talks += 1
        for name in _pictures(talk):
            self._picture(name)
        if talk.scene is not None and (png := self._png(name := talk.scene.shown.name)) is not None:
            self._text(f"shown/{name}", f"data:image/png;base64,{b64encode(png).decode()}")
        return True

    def _picture(self, name: str) -> None:
        file = self._folder / "pictures" / f"{name}.png"
        if name not in self._pictures and (png := self._png(name)) is not None:
            file.parent.mkdir(exist_ok=True)
            small = reduced(png, MOST_PIXELS)
            self._reduced = self._reduced or small is not png
            file.write_bytes(small)
        self._pictures.add(name)

    def _png(self, name: str) -> bytes | None:
        try:
            return self._library.picture(name)
        except StorageError as error:
            self.left_out.append(str(error))
            return None

    def _script(self, part: str, value: BaseModel) -> None:
        self._write(part, self._folders.left_out_of(value.model_dump_json()))

    def _text(self, part: str, text: str) -> None:
        if not self._file(part).exists():
            self._write(part, json.dumps(text))

    def _write(self, part: str, value: str) -> None:
        for character, escape in _ESCAPES.items():
            value = value.replace(character, escape)
        file = self._file(part)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'medvision("{part}", {value});\n', encoding="utf-8")

    def _file(self, part: str) -> Path:
        return self._folder / "data" / f"{part}.js"


def _publishable(talk: Talk) -> Talk:
    """Return a conversation whose text about its image does not contain the folder where the image was searched."""
    scene = talk.scene
    if scene is None or not (why := scene.shown.about.partition(UNREADABLE))[1]:
        return talk
    shown = scene.shown.model_copy(update={"about": "".join(why[:2])})
    return talk.model_copy(update={"scene": scene.model_copy(update={"shown": shown})})


def _pictures(talk: Talk) -> Iterator[str]:
    for turn in talk.turns:
        yield from turn.pictures
        yield from (call.picture for call in turn.calls if call.picture is not None)
