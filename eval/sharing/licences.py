"""Decides whether a sample's image may be shared, by the licence and the origin that the sample states.

Contract: an image may be shared if its origin is stated and its licence is known here to allow sharing, or if the user
who shares it stated the licence of its data set. Every other image is left out; an unknown licence permits nothing.
Nothing here is legal advice, and the card says on what each decision rests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.text import printable

__all__ = ["Licence", "licence_of", "stated_licences"]

_LONGEST = 300
"""Characters of a stated licence or origin that are written; both are text of others."""
_ALLOWS = re.compile(
    r"\bCC0\b|\bCC[- ]BY(?![-\w ]*\bND\b)|\bODC-By\b|\bPDDL\b|\bpublic domain\b|\bApache-2\.0\b|^MIT$"
    r"|\bMIT licen[cs]e\b|\bBSD-[23]-Clause\b|McGill/MNI permissive notice",
    re.IGNORECASE,
)
"""Licences that allow others to redistribute a changed form, by the names in which data sets state them."""
_FORBIDS = re.compile(
    r"\bnot\b|\bND\b|\bcredentialed\b|\bno (re)?distribution\b|\bnon-?redistribut|\bno licen[cs]e\b"
    r"|\bunlicen[cs]ed\b|\bconfidential\b|\ball rights reserved\b|\bproprietary\b"
    r"|\bdata use agreement\b|\bDUA\b|\brestricted\b|\bunknown\b|\bno[- ]?deriv",
    re.IGNORECASE,
)
"""Words by which a text withdraws the permission that a licence name in it would give."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What is known about the right to share a sample's image: its licence, its origin, and who states them."""

    dataset: str
    licence: str
    """The licence stated by the sample or by the person who shares it; empty where neither states one."""
    origin: str
    """Where the image comes from, as the sample states it."""
    basis: str
    """Who states it: the data, the person who shares it, or this program for its own synthetic images."""
    refused: str = ""
    """Why the image may not be shared; empty where it may."""


def stated_licences(given: Mapping[str, str]) -> dict[str, str]:
    """Return the licences that the user states (``--licence``) by data set, cleaned; ConfigError for empty texts."""
    for dataset, licence in given.items():
        if not dataset.strip() or not licence.strip():
            empty = "licence" if dataset.strip() else "name of the data set"
            raise ConfigError(
                f"--licence {dataset}={licence}: the {empty} is empty; give DATASET=LICENCE, such as "
                "KiTS23='CC BY-NC-SA 4.0'"
            )
    return {dataset.strip(): _cut(licence) for dataset, licence in given.items()}


def licence_of(sample: Sample, stated: Mapping[str, str]) -> Licence:
    """Return what is known about the right to share a sample's image; *stated* are licences of the user by data set."""
    licence, origin = _cut(sample.licence), _cut(sample.source)
    if sample.dataset in stated:
        origin = origin or "not stated by the data"
        return Licence(sample.dataset, stated[sample.dataset], origin, "stated by whoever shared the runs")
    if sample.marks.synthetic and origin.startswith("made by medvision-agent"):
        return Licence(sample.dataset, "none needed: computed, no work of others", origin, "made by medvision-agent")
    basis = "stated by the data" if licence else "nobody"
    return Licence(sample.dataset, licence, origin, basis, _refused(licence, origin))


def _refused(licence: str, origin: str) -> str:
    if not licence:
        return "the data states no licence"
    if not origin:
        return "the data does not state the origin"
    if _FORBIDS.search(licence) or not _ALLOWS.search(licence):
        return "the stated licence is not one that is known here to allow sharing"
    return ""


def _cut(text: str) -> str:
    clean = " ".join(printable(text, lines=True).split())
    return clean if len(clean) <= _LONGEST else f"{clean[:_LONGEST]}..."
