"""The schema of a catalogue row: which model it is and how it is asked.

A row is plain data: it never holds a key (only the *name* of an environment variable), an unknown field is an
error, and all defaults are set here. ``identity()`` holds the fields that define what is run; the rest
(timeouts, connections, prices, notes) may change between two sessions of one run.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter

from medvision_agent.agent.models.local import Offline, Transformers
from medvision_agent.agent.models.remote import Gemini, LangChain, OpenAI, Replay

__all__ = ["MODEL_CONFIG", "Gemini", "LangChain", "ModelConfig", "Offline", "OpenAI", "Replay", "Transformers"]

ModelConfig = Gemini | OpenAI | LangChain | Offline | Transformers
"""One model, whatever its provider."""

MODEL_CONFIG: TypeAdapter[ModelConfig] = TypeAdapter(Annotated[ModelConfig, Field(discriminator="provider")])
"""Validates a mapping into the right class by its ``provider`` key."""
