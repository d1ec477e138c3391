"""The identity of a run: the declared list of fields that say what was asked, and how.

Two runs with equal identities may be resumed into each other; two arms of a comparison may differ only in the
fields of their condition. Connections, prices, time limits of a request and the place of the results are no part of it.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.grammars.registry import grammar_of
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import ModelConfig
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.provenance import code_sha256
from medvision_agent.prompts.render import templates_sha256
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.version import VERSION

__all__ = ["identity"]


def identity(
    *,
    model_name: str,
    model: ModelConfig,
    condition: Condition,
    limits: Limits,
    asked: dict[str, Any],
    samples: Sequence[Sample],
) -> dict[str, Any]:
    """Return the identity as JSON-able fields; *asked* says how: recipe, prompt form, a user's own prompts."""
    return {
        "version": VERSION,
        "code_sha256": code_sha256(),
        "model_name": model_name,
        "model": model.identity(),
        **asked,
        "prompts_sha256": templates_sha256(),
        "limits": limits.model_dump(mode="json"),
        "sample_ids_sha256": _hash(sample.id for sample in samples),
        # Where a source keeps its pictures is not what they show: ``v0_sha256`` of each record covers that.
        "samples_sha256": _hash(sample.model_dump_json(exclude={"image", "source"}) for sample in samples),
        **condition.identity(grammar_of(model), FRAMES[model.frame]),
    }


def _hash(parts: Iterable[str]) -> str:
    digest = sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
