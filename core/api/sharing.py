"""Share stored runs and studies as a folder, or as a data set on the Hugging Face Hub."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pandas as pd

from medvision_agent.api.loaded import Loaded, PathText, load, rules_of
from medvision_agent.errors import ConfigError
from medvision_agent.eval.browse.bundle import write_bundle
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.page import page_files
from medvision_agent.eval.findings.contrasts import groups, work_out
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.sharing.card import CardIn, card
from medvision_agent.eval.sharing.folder import SharedFile, check_place, files_in, mark, new_folder
from medvision_agent.eval.sharing.hub import check_repository, upload
from medvision_agent.eval.sharing.images import IMAGES, ImageRow, Images
from medvision_agent.eval.sharing.licences import licence_of, stated_licences
from medvision_agent.eval.sharing.private import Private, without_addresses
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.read import has_run, open_run
from medvision_agent.eval.store.reviews import has_reviews
from medvision_agent.eval.store.shard import runs_below
from medvision_agent.eval.study.plan import read_plan
from medvision_agent.eval.tables.frames import Table, samples_table, tool_calls_table, turns_table
from medvision_agent.eval.tables.write import export_tables
from medvision_agent.frozen import strict
from medvision_agent.text import plural

__all__ = ["Shared", "share"]

_HUB = "hub:"
_ALWAYS = (
    ("Folders and user names of the machine, logins within addresses, keys", "they are private"),
    ("Addresses of model servers", "they may be those of a private network"),
)


@dataclass(frozen=True)
class Shared:
    """The result of ``share``: where the files are, their sizes, and what was not shared."""

    place: str
    """The folder, or the URL of the repository; empty after a dry run."""
    files: tuple[SharedFile, ...]
    left_out: tuple[tuple[str, str], ...]
    """What was not shared, each with the reason."""

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(file.size for file in self.files)


def share(
    path: PathText,
    to: PathText,
    *,
    licences: Mapping[str, str] | None = None,
    pictures: bool = True,
    viewer: bool = False,
    samples: int | None = None,
    title: str | None = None,
    public: bool = False,
    force: bool = False,
    dry_run: bool = False,
    protocol: str | None = None,
) -> Shared:
    """Write a run or a study for others: a card, Parquet tables, the images that may be shared, optionally the viewer.

    Nothing stored is changed. Images whose licence or origin is unknown are left out and named.

    Args:
        path: A run, a study, or a folder of both.
        to: A folder, or ``hub:ORG/NAME`` for a data set on the Hugging Face Hub, which needs the extra ``hub``.
        licences: Licences by data set that the caller vouches for, if the data states none; the card says so.
        pictures: Share images at all.
        viewer: Add the viewer as a bundle, which contains all images. Refused if any image may not be shared.
        samples: How many samples the bundle holds, as for ``bundle``.
        title: Title of the card; by default the name of the folder.
        public: Make a new repository public; by default it is private.
        force: Replace what was shared there earlier.
        dry_run: Write and upload nothing; the result says what would be shared.
        protocol: Scoring rules; by default those that a study declared, else the default protocol.

    Raises ConfigError for options that do not fit together, StorageError if the place exists or cannot be written,
    ProviderError if the Hub refuses.
    """
    hub = str(to).removeprefix(_HUB) if str(to).startswith(_HUB) else None
    if hub is not None:
        check_repository(hub)
    elif public:
        raise ConfigError("--public needs --to hub:ORG/NAME; it has no effect on a folder: leave it out")
    else:
        check_place(Path(to), force=force)
    if samples is not None and not viewer:
        raise ConfigError("--samples needs --viewer; the tables always hold all samples")
    if viewer and not pictures:
        raise ConfigError("--viewer needs images; leave out --no-pictures")
    work = _Share(load(path), stated_licences(licences or {}), protocol)
    with new_folder(None if hub is not None or dry_run else Path(to)) as folder:
        work.write(folder, title, pictures=pictures, viewer=viewer, samples=samples)
        found, place = tuple(files_in(folder)), "" if dry_run else str(to)
        if hub is not None and not dry_run:
            place = upload(folder, hub, public=public, force=force)
    return Shared(place, found, tuple(work.left_out))


class _Share:
    """The writer of one shared folder; ``left_out`` lists what it does not share, each with the reason."""

    def __init__(self, loaded: Loaded, stated: Mapping[str, str], protocol: str | None) -> None:
        self._loaded, self._stated = loaded, stated
        self._rules: Protocol = rules_of(loaded, protocol)
        self._runs = loaded.runs
        sources = {str(run.config["source"]["name"]) for run in self._runs.values()}
        if loaded.kind == "study":
            sources |= {one.source for one in read_plan(loaded.path).sources}
        self._sources = sources
        self._private = Private([loaded.path, *loaded.folders.values()], sources)
        self.left_out: list[tuple[str, str]] = []

    def write(self, folder: Path, title: str | None, *, pictures: bool, viewer: bool, samples: int | None) -> None:
        """Write all parts of the share into *folder*."""
        if viewer:
            self._check_viewer()
        rows, images = self._tables(folder / "tables")
        if pictures:
            self._pictures(folder / "pictures", images)
        self._say_left_out(images, pictures=pictures)
        if viewer:
            self._viewer(folder / "viewer", samples)
        (folder / "runs.json").write_text(self._identities(), encoding="utf-8")
        if pictures and "demo" in self._sources:
            notice = files("medvision_agent.eval.data") / "demo" / "NOTICE"
            (folder / "NOTICE").write_text(notice.read_text(encoding="utf-8"), encoding="utf-8")
        names = ["README.md", *(file.name for file in files_in(folder))]
        given = CardIn(
            title or self._loaded.path.resolve().name,
            [one for group, own in groups(self._given(), self._rules) for one in work_out(group, own)],
            images,
            names,
            rows,
            self.left_out,
            self._private.left_out_of,
        )
        (folder / "README.md").write_text(card(given), encoding="utf-8")
        mark(folder)

    def _given(self) -> Sequence[Path]:
        """Return the folder of the study, or the folders of the runs, whose results the card compares."""
        return [self._loaded.path] if self._loaded.kind == "study" else list(self._loaded.folders.values())

    def _tables(self, folder: Path) -> tuple[dict[str, int], list[ImageRow]]:
        """Write the tables as Parquet; return their numbers of rows by name, and a row for each stored image."""
        heard = Images({name: run.samples for name, run in self._runs.items()}, self._stated)
        runs = self._loaded.folders
        tables: dict[str, Iterable[pd.DataFrame]] = {
            "samples": heard.hear(samples_table(runs, self._rules).parts()),
            "turns": heard.hear(turns_table(runs).parts()),
            "tool_calls": heard.hear(tool_calls_table(runs).parts()),
            "pictures": _late(heard),
        }
        counts = export_tables({name: map(self._clean, parts) for name, parts in tables.items()}, folder, "parquet")
        return {file.stem: count for file, count in counts.items()}, heard.rows()

    def _clean(self, part: pd.DataFrame) -> pd.DataFrame:
        """Return a part of a table whose texts have private words (folders, user names, keys) replaced."""
        texts = part.select_dtypes("string").columns
        clean = self._private.left_out_of
        return part.assign(**{name: part[name].map(clean, na_action="ignore").astype("string") for name in texts})

    def _pictures(self, folder: Path, images: Sequence[ImageRow]) -> None:
        """Write the images that may be shared as PNG files, named by their SHA-256."""
        folder.mkdir()
        for image in images:
            if not image.refused:
                png = read_picture(self._loaded.folders[image.run], image.sha256, image.sample)
                (folder / f"{image.sha256}.png").write_bytes(png)

    def _say_left_out(self, images: Sequence[ImageRow], *, pictures: bool) -> None:
        """Add to ``left_out`` the images that are not shared, reviewers' notes, and what is never shared."""
        if not pictures:
            self.left_out.append((plural(len(images), "image"), "no images were to be shared"))
        else:
            reasons: dict[tuple[str, str], int] = {}
            for image in images:
                if image.refused:
                    datasets = ", ".join(dict.fromkeys(one.dataset for one in image.licences if one.dataset))
                    key = datasets, image.refused
                    reasons[key] = reasons.get(key, 0) + 1
            for (datasets, why), count in sorted(reasons.items()):
                self.left_out.append((f"{plural(count, 'image')} of {datasets or 'other samples'}", why))
        if any(map(has_reviews, self._loaded.folders.values())):
            self.left_out.append(("Notes of people on samples", "whoever wrote them was not asked"))
        self.left_out += _ALWAYS

    def _check_viewer(self) -> None:
        """Raise ConfigError if the image of any sample may not be shared: the viewer would show it."""
        for run in runs_below(self._loaded.path):
            for sample in open_run(run).samples if has_run(run) else ():
                if why := licence_of(sample, self._stated).refused:
                    raise ConfigError(
                        f"--viewer: the image of sample {sample.id!r} of data set {sample.dataset!r} may not be "
                        f"shared: {why}; leave --viewer out, or state it: --licence '{sample.dataset}=LICENCE'"
                    )

    def _viewer(self, folder: Path, samples: int | None) -> None:
        """Write the viewer's bundle, with private words replaced in everything but its images."""
        library = Library([self._loaded.path], self._rules)
        write_bundle(library, page_files(), folder, samples, notes=False)
        for script in sorted((folder / "data").rglob("*.js")):
            if script.parent.name != "shown":  # an image in base64
                text = script.read_text(encoding="utf-8")
                script.write_text(self._private.left_out_of(text), encoding="utf-8")

    def _identities(self) -> str:
        """Return the identities of the runs, and the versions of their libraries, as JSON without private words."""
        found = []
        for name, run in self._runs.items():
            identity = run.identity.plain()
            plain = {**identity, "model": without_addresses(identity["model"])}
            row = {"run": name, "protocol": self._rules.name, "identity": plain}
            found.append(row | {"libraries": run.config.get("libraries", {})})
        return self._private.left_out_of(json.dumps(strict(found), indent=1, sort_keys=True)) + "\n"


def _late(heard: Images) -> Iterator[pd.DataFrame]:
    """Yield the table of images, which is complete only after all other tables were written."""
    yield from Table(IMAGES, heard.rows()).parts()
