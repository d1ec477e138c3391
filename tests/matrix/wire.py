"""Every reason to stop and every status, on both wires, against classes written here by hand.

The classes do not come from the program's own tables: a row of those that changes its meaning is seen here.
"""

import json
from pathlib import Path

from fake.replies import DROP, Reply, cut, error, raw, text

import medvision_agent as mva
from matrix.row import Row, seeded
from matrix.samples import write_samples
from matrix.server import ByModel, row, serving
from medvision_agent.errors import MedVisionAgentError, ProviderError

STOPS = "stops the run"
INFRASTRUCTURE = "infrastructure"
"""Any failure that is asked again, or an end of the run: never the model's loss."""

CHAT = {
    "answered": "stop eos end_turn complete",
    "limit_reached": "length max_tokens model_length model_context_window_exceeded MAX_TOKENS",
    "refused": "content_filter sensitive safety refusal",
    "tool_protocol": "malformed_function_call",
    INFRASTRUCTURE: "error abort network_error insufficient_system_resource timeout other a_reason_nobody_knows",
}
GEMINI = {
    "answered": "STOP",
    "limit_reached": "MAX_TOKENS",
    "refused": "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY LANGUAGE",
    "tool_protocol": "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL",
    INFRASTRUCTURE: "OTHER NO_IMAGE MISSING_THOUGHT_SIGNATURE FINISH_REASON_UNSPECIFIED A_REASON_NOBODY_KNOWS",
}
STATUSES = {
    STOPS: (301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 407, 415),
    "timeout": (408,),
    "rate_limited": (429,),
    "server_error": (409, 500, 502, 503, 504, 529),
    INFRASTRUCTURE: (413, 417, 421, 423, 424, 425, 428, 431, 499, 520),
}
BODIES: dict[str, dict[str, Reply]] = {
    INFRASTRUCTURE: {
        "null": raw("null"),
        "half of JSON": raw('{"choices": [{"mess'),
        "a page": raw("<html></html>", content_type="text/html"),
        "nothing chosen": raw({"choices": [], "candidates": []}),
        "an error without a code": raw({"error": {"message": "upstream went away"}}),
    },
    "rate_limited": {"429 in the body": raw({"error": {"message": "slow down", "code": 429}})},
    STOPS: {"401 in the body": raw({"error": {"message": "no such key", "code": 401}})},
    "context_overflow": {
        "overflow in the body": raw({"error": {"message": "maximum context length is 9 tokens", "code": 400}}),
        "overflow": error(400, "This model's maximum context length is 4096 tokens"),
    },
    "connection": {"a dropped connection": DROP, "half a reply": cut(text("<answer>8.0</answer>"))},
}


def faults(wire: str) -> list[tuple[str, Reply, str]]:
    """Return all that is tried on a wire: its name, the reply, and the class that is right."""
    reasons = CHAT if wire == "chat" else GEMINI
    words = "<answer>8.0</answer>"
    found = [(name, text(words, finish=name), kind) for kind, names in reasons.items() for name in names.split()]
    found += [(f"status {number}", error(number), kind) for kind, numbers in STATUSES.items() for number in numbers]
    return found + [(name, reply, kind) for kind, bodies in BODIES.items() for name, reply in bodies.items()]


def matrix(folder: Path, seed: int, at_most: int | None = None) -> list[Row]:
    """Try each fault on both wires, or *at_most* so many on each, chosen by the seed."""
    data, rows = write_samples(folder, 1), []
    with serving() as server:
        for wire in ("chat", "gemini"):
            result = Row("wire", f"reasons to stop, statuses and bodies, {wire}", "faults")
            chosen = faults(wire)
            if at_most is not None:
                chosen = seeded(seed, wire).sample(chosen, at_most)
            for number, (name, reply, right) in enumerate(chosen):
                found = _ending(folder / f"{wire}{number}", wire, reply, data, server)
                result.tried += 1
                if right not in found:
                    result.fault("mistyped", f"{name}: {found}, not {right}")
            rows.append(result)
    return rows


def _ending(place: Path, wire: str, reply: Reply, data: Path, server: ByModel) -> list[str]:
    """Return the classes in which a sample ended: its outcome, and whether it counts as infrastructure."""
    place.mkdir()
    server.replies[place.name] = [reply]
    (place / "models.yaml").write_text(json.dumps({"mine": row(server, wire, place.name)}), encoding="utf-8")
    asked = {"model": "mine", "models_file": place / "models.yaml", "data": str(data), "tools": "ruler"}
    try:
        ran = mva.run(**asked, out=place / "out", probe=False, progress=False)
    except ProviderError:
        return [STOPS, INFRASTRUCTURE]
    except MedVisionAgentError as problem:
        return [f"{type(problem).__name__}: {problem}"[:200]]
    (record,) = ran.run.records
    return [record.outcome.value, *([INFRASTRUCTURE] if record.outcome.infrastructure else [])]
