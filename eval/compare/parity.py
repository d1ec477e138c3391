"""Parity: do two runs differ in more than their tools? Lists by name every difference that rules out a comparison.

Contract: settings are compared field by field, answers pair by pair. A value that only one answer of a pair has is a
difference. A value that neither has is no difference, but it is not proven either (``card``). Replies that stopped for
an unknown reason rule out the comparison. Samples missing in one run (unfinished, or failed requests) are no difference
here, but the sets of *chosen* samples must be equal. The place where a source keeps its images may differ: their
content is compared by hash.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from medvision_agent.eval.compare.checked import checked
from medvision_agent.eval.compare.differences import Differences, shown
from medvision_agent.eval.settings.settings import TOOL_FIELDS
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["MODEL_FIELDS", "parity", "run_parity", "varied"]

MODEL_FIELDS = frozenset({"model", "model_name", "model_versions", "prompt_sha256", "v0_sha256"}) | frozenset(
    {"display_sha256", "tool_schemas_sha256", "tool_paragraph_sha256"}
)
"""The fields in which two models under one condition may differ: the model's row, the served version, and what follows
from the row (sizes and coordinates in the prompt, the image as sent)."""
Identity = Mapping[str, Any]
_ABSENT = object()


def run_parity(a: Run, b: Run, *, free: frozenset[str] = TOOL_FIELDS, names: tuple[str, str] = ("A", "B")) -> list[str]:
    """Return every difference between two stored runs, one line each, except those permitted; empty if there is none.

    *free* are the fields that may differ (by default, those of the tools) and *names* the names of the runs, both as in
    ``parity``. Images count as equal if they show the same pixels.
    """
    differences = _identity_differences(a.identity.plain(), b.identity.plain(), free, names)
    return [*differences, *checked(a, b).differences.lines(free, names)]


def parity(
    identity_a: Identity,
    identity_b: Identity,
    records_a: Iterable[Record],
    records_b: Iterable[Record],
    *,
    free: frozenset[str] = TOOL_FIELDS,
    names: tuple[str, str] = ("A", "B"),
) -> list[str]:
    """Return every difference between two runs, one line each, except those permitted; empty if they may be compared.

    *free* are the fields that may differ, by default those of the tools: fields of the identity (with dots, such as
    ``model.frame``), or ``prompt_sha256``, ``v0_sha256`` and ``model_versions`` of the records. With ``enlarged``, an
    arm may enlarge the image; prompt and image are then compared by the hashes of what would have been sent otherwise.
    *names* are the names of the two runs.
    """
    found = Differences()
    deque(found.read(records_a, records_b), maxlen=0)
    return [*_identity_differences(identity_a, identity_b, free, names), *found.lines(free, names)]


def varied(a: Run, b: Run) -> tuple[str, ...]:
    """Return the fields in which the identities of two runs differ, with dots (``model.frame``); empty if in none."""
    found = _identity_differences(a.identity.plain(), b.identity.plain(), frozenset(), ("A", "B"))
    return tuple(dict.fromkeys(line.partition(": ")[0] for line in found))


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
    """Return the package or server that outlines structures for each tool of an arm, with the facts stored about it.

    The key is the tool, its variant, and the name of the package or server.
    """
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


def _shown(value: object) -> str:
    return "not recorded" if value is _ABSENT else shown(value)
