"""Parity: do two runs differ in their tools and in nothing else? Proven from what was stored, field by field.

Contract: what both runs leave unrecorded is not proven, and reported as such; so are replies that stopped for a reason
nobody knows. Samples that one run lacks (it is unfinished, or their requests failed) are no difference here; the sets
of samples *chosen* must be the same. Where a source keeps its pictures is none either: what they show is compared by
hash.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.text import plural

__all__ = ["parity", "run_parity"]

Identity = Mapping[str, Any]
Pair = tuple[Record, Record]
_ABSENT = object()
_ENDED_BY_ERROR = frozenset({Outcome.REJECTED, Outcome.CONTEXT_OVERFLOW, Outcome.REFUSED})
"""Results a provider may state as an error, without a reply that could name its version."""


def run_parity(a: Run, b: Run, *, free: frozenset[str] = TOOL_FIELDS) -> list[str]:
    """Return every difference of two stored runs besides the tools, one line each (see ``parity``)."""
    return parity(a.identity.plain(), b.identity.plain(), a.records, b.records, free=free)


def parity(
    identity_a: Identity,
    identity_b: Identity,
    records_a: Sequence[Record],
    records_b: Sequence[Record],
    *,
    free: frozenset[str] = TOOL_FIELDS,
) -> list[str]:
    """Return every difference besides the tools, one line each; empty if the two runs may be compared.

    *free* are the fields that may differ: of the identity (with dots, such as ``model.frame``), or ``prompt_sha256``
    and ``v0_sha256`` of the records.
    """
    if identity_a.get("picture") == identity_b.get("picture") == "none":  # there is no hash of what was not sent
        free |= {"v0_sha256"}
    by_id = {record.sample.id: record for record in records_b}
    common = [(record, by_id[record.sample.id]) for record in records_a if record.sample.id in by_id]
    return [
        *_identity_differences(identity_a, identity_b, free),
        *_sample_differences(common, free),
        *_version_differences(common),
        *_unknown_endings({"A": records_a, "B": records_b}),
    ]


def _identity_differences(identity_a: Identity, identity_b: Identity, free: frozenset[str]) -> Iterator[str]:
    for field in sorted(identity_a.keys() | identity_b.keys()):
        yield from _field_differences(field, identity_a.get(field, _ABSENT), identity_b.get(field, _ABSENT), free)
    if "sample_ids_sha256" not in identity_a.keys() | identity_b.keys():
        yield "sample_ids_sha256: recorded by neither run"
    # A tool that both arms have must be the same tool, whichever others they have.
    code_a, code_b = identity_a.get("tool_code_sha256", {}), identity_b.get("tool_code_sha256", {})
    for name in sorted(code_a.keys() & code_b.keys()):
        yield from _field_differences(f"tool_code_sha256.{name}", code_a[name], code_b[name], frozenset())
    made_a, made_b = _makers(identity_a), _makers(identity_b)
    for key in sorted(made_a.keys() & made_b.keys()):
        yield from _field_differences(f"tool_variants.{key[0]}", made_a[key], made_b[key], frozenset())


def _makers(identity: Identity) -> dict[tuple[str, str, str], Mapping[str, str]]:
    """Return what outlines for the tools of an arm, by tool, variant, and the name of the package or the server."""
    return {
        (tool, made["variant"], made.get("package", made.get("name", ""))): made
        for tool, made in identity.get("tool_variants", {}).items()
    }


def _field_differences(field: str, a: object, b: object, free: frozenset[str]) -> Iterator[str]:
    if field in free:
        return
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted(a.keys() | b.keys()):
            yield from _field_differences(f"{field}.{key}", a.get(key, _ABSENT), b.get(key, _ABSENT), free)
    elif a != b:
        yield f"{field}: {_shown(a)} in A, {_shown(b)} in B"


def _sample_differences(common: Sequence[Pair], free: frozenset[str]) -> Iterator[str]:
    scored = _scored(common)
    yield from _count("sample (question or truth)", scored, _question)
    if "v0_sha256" not in free:
        yield from _count("v0_sha256 (the picture as sent)", scored, lambda record: record.v0_sha256)
    if "prompt_sha256" not in free:
        what = "prompt_sha256 (the prompt without its tool paragraph)"
        yield from _count(what, scored, lambda record: record.prompt_sha256)


def _scored(common: Sequence[Pair]) -> list[Pair]:
    # An infrastructure failure may have happened before there was a prompt or a picture; it enters no comparison.
    return [pair for pair in common if not any(record.outcome.infrastructure for record in pair)]


def _question(record: Record) -> str:
    return record.sample.model_dump_json(exclude={"image", "source"})


def _count(what: str, pairs: Sequence[Pair], value: Callable[[Record], object]) -> list[str]:
    different = [a.sample.id for a, b in pairs if value(a) != value(b)]
    unknown = [a.sample.id for a, b in pairs if not value(a) and not value(b)]
    lines = []
    if different:
        lines.append(f"{what}: differs for {len(different)} of {len(pairs)} common samples, first {different[0]!r}")
    if unknown:
        lines.append(f"{what}: not recorded for {len(unknown)} of {len(pairs)} common samples, first {unknown[0]!r}")
    return lines


def _version_differences(common: Sequence[Pair]) -> Iterator[str]:
    arms = dict(zip("AB", zip(*common, strict=True), strict=False))
    served = {arm: sorted({one for record in own for one in record.model_versions}) for arm, own in arms.items()}
    if arms and served["A"] != served["B"]:
        yield f"model version as served: {_shown(served['A'])} in A, {_shown(served['B'])} in B"
    for arm, records in dict(zip("AB", zip(*_scored(common), strict=True), strict=False)).items():
        replied = [record for record in records if record.outcome not in _ENDED_BY_ERROR]
        unknown = [record.sample.id for record in replied if not record.model_versions]
        if unknown:
            count = f"{len(unknown)} of {len(replied)} common samples, first {unknown[0]!r}"
            yield f"model version as served: not recorded in {arm} for {count}"


def _unknown_endings(arms: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    """Yield a line for each arm with replies of which nobody knows whether they are whole."""
    for arm, records in arms.items():
        unknown = [record for record in records if record.outcome is Outcome.UNKNOWN_ENDING]
        if unknown:
            reasons = sorted({record.finish_reasons[-1] for record in unknown if record.finish_reasons})
            count = plural(len(unknown), "sample")
            yield f"endings: {count} in {arm} stopped for a reason that is not known ({_shown(reasons)})"


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "not recorded"
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."
