"""Parity: do two runs differ in more than their tools? Lists by name every difference that rules out a comparison.

Contract: settings are compared field by field, answers pair by pair. A value that only one answer of a pair has is a
difference. A value that neither has is no difference, but it is not proven either (``card``). Replies that stopped for
an unknown reason rule out the comparison. Samples missing in one run (unfinished, or failed requests) are no difference
here, but the sets of *chosen* samples must be equal. The place where a source keeps its images may differ: their
content is compared by hash.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.compare.sent import with_names_of
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.text import plural

__all__ = [
    "MODEL_FIELDS",
    "Pair",
    "parity",
    "picture_hash",
    "prompt_hash",
    "question",
    "run_parity",
    "same_question",
    "scored_pairs",
    "varied",
]

MODEL_FIELDS = frozenset({"model", "model_name", "model_versions", "prompt_sha256", "v0_sha256"}) | frozenset(
    {"display_sha256", "tool_schemas_sha256", "tool_paragraph_sha256"}
)
"""The fields in which two models under one condition may differ: the model's row, the served version, and what follows
from the row (sizes and coordinates in the prompt, the image as sent)."""
Identity = Mapping[str, Any]
Pair = tuple[Record, Record]
_ABSENT = object()
_ENDED_BY_ERROR = frozenset({Outcome.REJECTED, Outcome.CONTEXT_OVERFLOW, Outcome.REFUSED})
"""Outcomes that a provider may report as an error, without a reply that could name the served version."""


def run_parity(a: Run, b: Run, *, free: frozenset[str] = TOOL_FIELDS, names: tuple[str, str] = ("A", "B")) -> list[str]:
    """Return every difference between two stored runs other than the tools, one line each; empty if there is none.

    *free* and *names* are those of ``parity``. Images count as equal if they show the same pixels.
    """
    b = with_names_of(a, b)
    return parity(a.identity.plain(), b.identity.plain(), a.records, b.records, free=free, names=names)


def parity(
    identity_a: Identity,
    identity_b: Identity,
    records_a: Sequence[Record],
    records_b: Sequence[Record],
    *,
    free: frozenset[str] = TOOL_FIELDS,
    names: tuple[str, str] = ("A", "B"),
) -> list[str]:
    """Return every difference other than the tools, one line each; empty if the two runs may be compared.

    *free* are the fields that may differ: of the identity (with dots, such as ``model.frame``), or ``prompt_sha256``,
    ``v0_sha256`` and ``model_versions`` of the records. With ``enlarged``, an arm may enlarge the image; prompt and
    image are then compared by the hashes of what would have been sent otherwise. *names* are the names of the two runs.
    """
    return [
        *_identity_differences(identity_a, identity_b, free, names),
        *_pair_differences(scored_pairs(records_a, records_b), free, names),
        *_unknown_endings(dict(zip(names, (records_a, records_b), strict=True))),
    ]


def varied(a: Run, b: Run) -> tuple[str, ...]:
    """Return the fields in which the identities of two runs differ."""
    found = _identity_differences(a.identity.plain(), b.identity.plain(), frozenset(), ("A", "B"))
    return tuple(dict.fromkeys(line.partition(": ")[0] for line in found))


def scored_pairs(records_a: Sequence[Record], records_b: Sequence[Record]) -> list[Pair]:
    """Return the answers of both runs to the same sample, where both were scored.

    An infrastructure failure may have happened before there was a prompt or an image; it enters no comparison.
    """
    by_id = {record.sample.id: record for record in records_b}
    pairs = [(record, by_id[record.sample.id]) for record in records_a if record.sample.id in by_id]
    return [pair for pair in pairs if not any(record.outcome.infrastructure for record in pair)]


def question(record: Record) -> str:
    """Return the sample (question and ground truth) as JSON, without where its image is and where it comes from."""
    return record.sample.model_dump_json(exclude={"image", "source"})


def same_question(pair: Pair) -> bool:
    """Return whether two answers belong to the same question with the same ground truth."""
    a, b = (record.sample for record in pair)
    # Most are one object, or equal, and need not be written out.
    return a is b or a == b or question(pair[0]) == question(pair[1])


def prompt_hash(*, enlarged: bool) -> Callable[[Record], str]:
    """Return a function that reads the hash of a prompt; with *enlarged*, of the prompt for the image's own size."""
    return lambda record: record.own_prompt_sha256 if enlarged else record.prompt_sha256


def picture_hash(*, enlarged: bool) -> Callable[[Record], str]:
    """Return a function that reads the hash of the image as sent; with *enlarged*, of the image before enlarging."""
    return lambda record: record.own_v0_sha256 if enlarged else record.v0_sha256


def _identity_differences(
    identity_a: Identity, identity_b: Identity, free: frozenset[str], names: tuple[str, str]
) -> Iterator[str]:
    for field in sorted(identity_a.keys() | identity_b.keys()):
        both = identity_a.get(field, _ABSENT), identity_b.get(field, _ABSENT)
        yield from _field_differences(field, both, free, names)
    if "sample_ids_sha256" not in identity_a.keys() | identity_b.keys():
        yield "sample_ids_sha256: recorded by neither run"
    # A tool that both arms have must be the same tool, whichever other tools they have.
    code_a, code_b = identity_a.get("tool_code_sha256", {}), identity_b.get("tool_code_sha256", {})
    for name in sorted(code_a.keys() & code_b.keys()):
        yield from _field_differences(f"tool_code_sha256.{name}", (code_a[name], code_b[name]), frozenset(), names)
    made_a, made_b = _makers(identity_a), _makers(identity_b)
    for key in sorted(made_a.keys() & made_b.keys()):
        yield from _field_differences(f"tool_variants.{key[0]}", (made_a[key], made_b[key]), frozenset(), names)


def _makers(identity: Identity) -> dict[tuple[str, str, str], Mapping[str, str]]:
    """Return which package or server outlines for an arm's tools, by tool, variant, and its name."""
    return {
        (tool, made["variant"], made.get("package", made.get("name", ""))): made
        for tool, made in identity.get("tool_variants", {}).items()
    }


def _field_differences(
    field: str, both: tuple[object, object], free: frozenset[str], names: tuple[str, str]
) -> Iterator[str]:
    a, b = both
    if field in free:
        return
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted(a.keys() | b.keys()):
            yield from _field_differences(f"{field}.{key}", (a.get(key, _ABSENT), b.get(key, _ABSENT)), free, names)
    elif a != b:
        yield f"{field}: {_shown(a)} in {names[0]}, {_shown(b)} in {names[1]}"


def _pair_differences(pairs: Sequence[Pair], free: frozenset[str], names: tuple[str, str]) -> Iterator[str]:
    if other := [pair for pair in pairs if not same_question(pair)]:
        yield _line("sample (question or ground truth)", other, pairs)
    enlarged = "enlarged" in free
    if "v0_sha256" not in free:
        what = "v0_sha256 (the image before it was enlarged)" if enlarged else "v0_sha256 (the image as sent)"
        yield from _differ(what, pairs, picture_hash(enlarged=enlarged))
    if "prompt_sha256" not in free:
        what = "prompt_sha256 (the prompt without its tool paragraph)"
        yield from _differ(what, pairs, prompt_hash(enlarged=enlarged))
    if "model_versions" not in free:
        told = [pair for pair in pairs if not any(map(_could_not_tell, pair))]
        yield from _differ("model version as served", told, lambda record: sorted(record.model_versions), names)


def _could_not_tell(record: Record) -> bool:
    """Return whether there was no reply that could have named the served version."""
    return not record.model_versions and record.outcome in _ENDED_BY_ERROR


def _differ(
    what: str, pairs: Sequence[Pair], value: Callable[[Record], object], names: tuple[str, str] | None = None
) -> Iterator[str]:
    """Yield a line if a value differs within pairs; with *names*, the line gives the values of the first such pair."""
    different = [(a, b) for a, b in pairs if value(a) != value(b)]
    if different:
        a, b = different[0]
        line = _line(what, different, pairs)
        yield f"{line} ({_shown(value(a))} in {names[0]}, {_shown(value(b))} in {names[1]})" if names else line


def _line(what: str, different: Sequence[Pair], pairs: Sequence[Pair]) -> str:
    return f"{what}: differs for {len(different)} of {len(pairs)} common samples, first {different[0][0].sample.id!r}"


def _unknown_endings(arms: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    """Yield a line for each arm with replies that may be cut off, because the reason why they stopped is unknown."""
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
