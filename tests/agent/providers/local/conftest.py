"""Tiny checkpoints, one of each kind per session."""

from collections.abc import Callable
from typing import Any

import pytest
from fake import tiny

from medvision_agent.agent.models import MODEL_CONFIG, Transformers


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models are slower on several threads, above all beside other test processes."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Return a function that gives the folder of a kind of checkpoint, made when it is first asked for."""
    makers = {
        "gemma3": lambda folder: tiny.gemma3(folder, template=tiny.GEMMA_TEMPLATE, response_template=None),
        "gemma3-tools": tiny.gemma3,
        "gemma3-unread": lambda folder: tiny.gemma3(folder, response_template=None),
        "scripted": lambda folder: tiny.gemma3(folder, scripted=True),
        "idefics3-tools": tiny.idefics3,
        "llava": tiny.llava,
        "llava-tools": lambda folder: tiny.llava(
            folder, template=tiny.TOOLS_TEMPLATE, response_template=tiny.RESPONSE_TEMPLATE
        ),
    }
    made = {}

    def made_once(kind):
        if kind not in made:
            made[kind] = makers[kind](tmp_path_factory.mktemp("checkpoints") / kind)
        return made[kind]

    return made_once


@pytest.fixture
def row(checkpoint) -> Callable[..., Transformers]:
    """Return a function that makes the row of a checkpoint."""

    def made(kind: str, **settings: Any) -> Transformers:
        common = {"provider": "transformers", "model": str(checkpoint(kind)), "perceived": {"rule": "native"}}
        return MODEL_CONFIG.validate_python(common | {"max_output_tokens": 400, "timeout_seconds": 60} | settings)

    return made
