"""Questions and chats for tests of the agent, all of them real objects."""

import numpy as np
import pytest

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.models import Offline
from medvision_agent.agent.models.catalogue import load_catalogue
from medvision_agent.agent.policies.scripted import Scripted, ScriptedCall
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice


@pytest.fixture
def question():
    """A picture of distinct rows and columns, non-square and with anisotropic pixels."""
    pixels = np.add.outer(np.arange(60), 2 * np.arange(80)).astype(np.uint8)
    image = grey_slice(pixels, Spacing(height_mm=1.0, width_mm=0.5))
    return Question("distance", image, "An axial slice.", None, ("tip", "base"))


@pytest.fixture
def scripted():
    """Return a function that makes a chat which replays turns: texts, or lists of (tool, arguments)."""

    def make(*turns, **settings):
        script = [
            turn if isinstance(turn, str) else [ScriptedCall(name=name, args=args) for name, args in turn]
            for turn in turns
        ]
        config = Offline(name="scripted", perceived={"rule": "native"}, **settings)
        return Chat(config, Scripted(name="scripted", turns=script))

    return make


@pytest.fixture
def policy_chat():
    """Return a function that opens a shipped offline model that speaks a coordinate convention."""

    def opened(name: str, frame: str):
        return open_model(load_catalogue()[name].model_copy(update={"frame": frame}))

    return opened
