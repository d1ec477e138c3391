"""Identities of runs and samples made by hand: every field has a value, and a test says only what it is about."""

from typing import Any

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity


def an_identity(**fields: Any) -> Identity:
    """Return an identity with these fields."""
    usual = {
        "version": "0",
        "code_sha256": "code",
        "model_name": "m",
        "model": {"name": "m"},
        "recipe": "medvision-1.2",
        "prompts_sha256": "prompts",
        "limits": {},
        "sample_ids_sha256": "ids",
        "samples_sha256": "samples",
        "condition": "off",
        "tools": (),
        "tool_schemas_sha256": "schemas",
        "tool_paragraph_sha256": "paragraph",
    }
    return Identity.model_validate(usual | fields)


def a_sample(name: str = "s1", **fields: Any) -> Sample:
    """Return a distance sample with these fields; there is no file behind its picture."""
    usual = {
        "task": "distance",
        "image": "x.png",
        "pixel_size": {"height_mm": 1, "width_mm": 1},
        "modality": "MR",
        "plane": "axial",
        "landmarks": ("a", "b"),
        "target": (10.0,),
        "convention": "edge",
        "dataset": "d",
        "subject": "d/1",
    }
    return Sample.model_validate({"id": name} | usual | fields)
