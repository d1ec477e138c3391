"""Identities of runs made by hand: every field has a value, and a test says only what it is about."""

from typing import Any

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
