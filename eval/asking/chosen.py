"""Selects the samples of a source that are asked. A resumed run need not list the source where nothing changed.

Contract: the samples are those that listing the source anew would select, in that order. A run keeps a hash over the
source's own fingerprint, the selection and the code of this program. Where the hash is another one, or the source has
no fingerprint, the source is listed.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.checking.check import check_selected, refuse
from medvision_agent.eval.checking.finding import Checked, check_unchecked
from medvision_agent.eval.data.samples import Hashes, Samples
from medvision_agent.eval.data.selection import select
from medvision_agent.eval.data.source import Known, Source, WithVolumes
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.asked import StoredSamples
from medvision_agent.eval.store.provenance import code_sha256, eval_sha256
from medvision_agent.eval.store.read import has_run, read_config, read_identity

__all__ = ["Chosen", "choose"]


@dataclass(frozen=True, eq=False)
class Chosen:
    """A source and the samples of it that a run asks."""

    source: Source
    samples: Samples
    listing: str | None = None
    """The hash that tells a resume that nothing changed; None where the source must be listed."""
    checked: Checked | None = None
    """The result of checking the samples; None where a resume finds that nothing changed."""

    def volumes_sha256(self) -> str | None:
        """Return a SHA-256 over the user's own volume files that samples are slices of; None if no sample names one.

        None also where a resume need not read the files.
        """
        if self.listing is not None or not isinstance(self.source, WithVolumes) or not self.samples.summed.volumes:
            return None
        return self.source.volumes_sha256(self.samples)

    @property
    def origin(self) -> dict[str, str] | None:
        """Package, version and hash of the source's code, if another package offers the source; else None."""
        origin = None if isinstance(self.source, Known) else self.source.info.origin
        return dict(origin) if origin else None


def choose(settings: Settings) -> Chosen:
    """Open the data that *settings* name, select the samples and check them.

    Raises DataError if the data cannot be read, no sample is selected, or a check refuses the samples.
    """
    unchecked = check_unchecked(settings.unchecked)
    source = open_source(settings.data, settings.reading, listing=False)
    listing = _listing(source, settings)
    if listing is not None and settings.resume and _listing_of(settings.out) == listing:
        begun = read_identity(settings.out)
        hashes = Hashes(begun["sample_ids_sha256"], begun["samples_sha256"])
        return Chosen(source, StoredSamples(settings.out, hashes), listing)
    samples = select(source, settings.selection)
    if not samples:
        asked = settings.selection.words
        found = (
            f"no sample matches {asked}; leave a restriction out" if asked else "there is no sample; give other data"
        )
        raise DataError(f"--data {settings.data}: {found}, or list the samples with: medvision-agent data list")
    checked = check_selected(source, samples, unchecked)
    refuse(checked, settings.data)
    if samples.summed.volumes or listing != _listing(source, settings):  # a file may change while it is read
        listing = None
    return Chosen(source, samples, listing, checked)


def _listing_of(out: Path) -> str | None:
    """Return the hash of everything that decided which samples a stored run asks.

    None if it keeps none, or no run exists.
    """
    return read_config(out).get("listing") if has_run(out) else None


def _listing(source: Source, settings: Settings) -> str | None:
    """Return the hash of everything that decides which samples are asked; None where that is not known."""
    found = source.fingerprint() if isinstance(source, Known) and settings.picture != "swapped" else None
    if found is None:
        return None
    asked = settings.model_dump(mode="json", include={"selection", "reading"})
    return sha256(json.dumps([found, asked, code_sha256(), eval_sha256()], sort_keys=True).encode()).hexdigest()
