"""Load stored runs (one run, a study, or a folder of both) as tables and images.

Contract: every call reads the store anew, so that a run in progress can be inspected. Nothing stored is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import ConfigError, StorageError, nearest
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.files import DATABASE, is_hash, picture_path
from medvision_agent.eval.store.read import CELLS, STUDY, find_record, has_run, is_canary, open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.shard import runs_below

if TYPE_CHECKING:  # pandas is slow to import, and a run that is asked makes no table
    import pandas as pd

__all__ = ["Loaded", "PathText", "load", "rules_of"]

PathText = str | PathLike[str]


@dataclass(frozen=True, eq=False)
class Loaded:
    """A stored run, a stored study, or a folder of both. The columns of its tables are in docs/export.md."""

    path: Path
    kind: Literal["run", "study", "folder"]
    folders: Mapping[str, Path]
    """The folder of each run, by its name in the column ``run`` of the tables."""

    @property
    def runs(self) -> Mapping[str, Run]:
        """The runs by the same names as ``folders``, each with its identity, settings, samples and records."""
        return {name: open_run(folder) for name, folder in self.folders.items()}

    def samples(self, protocol: str | None = None) -> "pd.DataFrame":
        """Return a row for each sample: the question, the outcome, the score, tokens, time and cost.

        Without *protocol*, a study is scored by the protocol it declared, anything else by the default one.
        """
        from medvision_agent.eval.tables.frames import samples_table  # noqa: PLC0415 - needs pandas

        return samples_table(self.folders, rules_of(self, protocol)).frame()

    def scores(self, protocol: str | None = None) -> "pd.DataFrame":
        """Return a row for each sample with only its score.

        Without *protocol*, a study is scored by the protocol it declared, anything else by the default one.
        """
        from medvision_agent.eval.tables.frames import scores_table  # noqa: PLC0415 - needs pandas

        return scores_table(self.folders, rules_of(self, protocol)).frame()

    def turns(self) -> "pd.DataFrame":
        """Return a row for each message of every conversation: prompts, tool results and the model's replies."""
        from medvision_agent.eval.tables.frames import turns_table  # noqa: PLC0415 - needs pandas

        return turns_table(self.folders).frame()

    def tool_calls(self) -> "pd.DataFrame":
        """Return a row for each tool call: arguments, result, the hash of an image it returned, seconds."""
        from medvision_agent.eval.tables.frames import tool_calls_table  # noqa: PLC0415 - needs pandas

        return tool_calls_table(self.folders).frame()

    def readings(self, protocol: str | None = None) -> "pd.DataFrame":
        """Return a row for each sample and second reader, with the loss by the rule and by the reader.

        A second reader is a language model that reads responses beside the protocol's rule (docs/reading.md); it is not
        asked here. Without *protocol*, a study is scored by the protocol it declared, anything else by the default one.
        """
        from medvision_agent.eval.tables.frames import readings_table  # noqa: PLC0415 - needs pandas

        return readings_table(self.folders, rules_of(self, protocol)).frame()

    def reviews(self) -> "pd.DataFrame":
        """Return a row for each note that a person wrote on a sample in the viewer; empty without notes."""
        from medvision_agent.eval.tables.frames import reviews_table  # noqa: PLC0415 - needs pandas

        return reviews_table(self.folders).frame()

    def picture(
        self, sample: str | None = None, *, sha256: str | None = None, run: str | None = None
    ) -> NDArray[np.uint8]:
        """Return the pixels of a stored image, grey (h, w) or RGB (h, w, 3), 0 to 255.

        Arguments and errors are those of ``png``; StorageError too if the file is no readable PNG.
        """
        pixels = cv2.imdecode(np.frombuffer(self.png(sample, sha256=sha256, run=run), np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise StorageError(f"{self.path}: the image {sample or sha256} is not a readable PNG file")
        return np.asarray(pixels if pixels.ndim == 2 else pixels[:, :, ::-1], np.uint8)

    def png(self, sample: str | None = None, *, sha256: str | None = None, run: str | None = None) -> bytes:
        """Return a stored image as a PNG file: a sample's image as sent (v0), by its id, or any image by its hash.

        *run* names the run; it is needed only if several runs sent different images of the sample. Raises ConfigError
        if neither or both of *sample* and *sha256* are given, if *sha256* is no hash, or if the run or the sample is
        unknown; StorageError if the image is not stored here, or differs from what was stored.
        """
        if (sample is None) == (sha256 is None):
            raise ConfigError("picture: give either the id of a sample or the sha256 of an image")
        folders = self._folders(run)
        key = self._sent(sample, folders) if sample is not None else str(sha256)
        if not is_hash(key):
            raise ConfigError(
                f"picture: sha256={key!r} is not a SHA-256 hash: expected 64 hexadecimal digits (0-9, a-f)"
            )
        here = [folder for folder in folders.values() if picture_path(folder, key).is_file()]
        if not here and sample is None:
            raise StorageError(
                f"{self.path}: no image with the SHA-256 hash {key} is stored here; the tables of samples and of tool "
                "calls have the hashes of stored images"
            )
        return read_picture(next(iter(here or folders.values())), key, sample)

    def _sent(self, sample_id: str, folders: Mapping[str, Path]) -> str:
        """Return the SHA-256 of the image that the runs in *folders* sent of a sample.

        Raises ConfigError if no run sent an image of it, or runs sent different images.
        """
        records = [find_record(folder, sample_id) for folder in folders.values()]
        hashes = {record.v0_sha256 for record in records if record is not None and record.v0_sha256}
        if len(hashes) > 1:
            raise ConfigError(f"picture: runs sent different images of sample {sample_id!r}; name one run with run=")
        if not hashes:
            ids = {record.sample.id for folder in folders.values() for record in open_run(folder).each()}
            raise ConfigError(
                f"picture: no run in {self.path} sent an image of the sample {sample_id!r}.{nearest(sample_id, ids)}"
            )
        return hashes.pop()

    def _folders(self, run: str | None) -> Mapping[str, Path]:
        """Return the folder of the run called *run*, or of all runs for None; ConfigError for an unknown name."""
        if run is None:
            return self.folders
        if run not in self.folders:
            known = ", ".join(list(self.folders)[:10])
            raise ConfigError(
                f"picture: {self.path} has no run {run!r}; its runs: {known}.{nearest(run, self.folders)}"
            )
        return {run: self.folders[run]}


def rules_of(loaded: Loaded, name: str | None) -> Protocol:
    """Return the protocol *name*; without a name, the one that a loaded study declared, or the default protocol.

    Raises ConfigError for an unknown name.
    """
    if name is None and loaded.kind == "study":
        from medvision_agent.eval.study.plan import read_plan  # noqa: PLC0415 - a run needs no plan

        return protocol(read_plan(loaded.path).protocol)
    return protocol(name or DEFAULT_PROTOCOL)


def load(path: PathText) -> Loaded:
    """Return a stored run, a study, or all runs and studies in a folder, at any depth.

    Raises StorageError if there is no run, or no run of a version that can be read.
    """
    folder = Path(path)
    if (folder / DATABASE).is_file():
        open_run(folder)  # says what is wrong with it, if anything is
        return Loaded(folder, "run", {folder.resolve().name: folder})
    study = (folder / STUDY).is_file()
    found = runs_below(folder / CELLS if study else folder)
    folders = {one.relative_to(folder).as_posix(): one for one in found if has_run(one) and not is_canary(one)}
    if not folders:
        raise StorageError(f"{folder} holds no run; give the folder of a run, of a study, or a folder that holds runs")
    return Loaded(folder, "study" if study else "folder", folders)
