"""What a released set declares never changes, whatever the words of its tools are by now."""

import json
from hashlib import sha256

import numpy as np
import pytest

from medvision_agent.agent.condition import Condition
from medvision_agent.errors import ConfigError
from medvision_agent.tools.registry import NEWEST, SETS, installed, registry_of
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

DECLARED = {"2026-11": "c22cee8d7f0e12fcaac5fd638047c3b98633deacbbe4c93067234076dd64ff18"}
"""The hash of all that each set declares, as it was when the set was the newest."""

LATER = {"tool_variants", "told_truth"}
"""Fields of the identity that were not known when a set was the newest."""


def declared(text, registry=None):
    """Return the hash of declarations, paragraph and identity, in every frame, with each paragraph, with overlays."""
    digest = sha256()
    for frame in FRAMES.values():
        for paragraph in ("tools", "tools_paraphrased", "tools_must_use"):
            for overlays in (True, False):
                asked = Condition.parse(text, registry).shown(overlays=overlays, paragraph=paragraph)
                identity = {key: value for key, value in asked.identity(None, frame).items() if key not in LATER}
                said = [asked.schemas(frame), asked.told(None, frame), identity]
                digest.update(json.dumps(said).encode())
    return digest.hexdigest()


@pytest.mark.parametrize("month", DECLARED)
def test_a_released_set_declares_what_it_did(month):
    assert declared(f"on@{month}") == DECLARED[month]
    assert declared("on", registry_of(None, month)) == DECLARED[month]


def test_every_set_but_the_newest_is_kept():
    assert set(DECLARED) == set(SETS) - {NEWEST}


def test_a_registry_of_a_month_has_its_words_for_tools_that_are_named():
    then, now = installed().dated("2026-11"), installed()
    assert "target" in then.tool("fit_contour").arguments.model_fields
    assert "target" not in now.tool("fit_contour").arguments.model_fields
    assert then.tool("crop") is now.tool("crop")
    assert [tool.name for tool in then.choose("ruler,crop").tools] == ["crop", "ruler"]
    assert [tool.name for tool in then.choose("mark,on").tools] == [*SETS["2026-11"], "mark"]
    assert then.choose("on").tool_set == "2026-11"
    with pytest.raises(ConfigError, match="no set of tools is dated '2025-01'; known sets: on@2026-11, on@2026-12"):
        installed().dated("2025-01")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ruler", {"x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.1}),
        ("protractor", dict(zip(("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1"), range(8), strict=True))),
        ("fit_contour", {"x0": 0.2, "y0": 0.2, "x1": 0.8, "y1": 0.8}),
    ],
)
def test_an_earlier_edition_measures_the_same_and_states_what_it_did(name, arguments):
    pixels = np.full((60, 80), 50.0)
    pixels[20:40, 30:50] = 200
    views = ViewSet(grey_slice(pixels, Spacing(1, 2)), Native())
    arguments = {key: value / 8 if name == "protractor" and value > 1 else value for key, value in arguments.items()}
    then, now = installed().dated("2026-11").tool(name), installed().tool(name)
    more = {"target": "bright"} if name == "fit_contour" else {}
    earlier, today = then.call(views, {**arguments, **more}), now.call(views, arguments)
    assert earlier.ok, earlier.text
    assert earlier.result == {key: today.result[key] for key in then.result.model_fields}
    assert not any(key.startswith("v0_") and "box" not in key for key in earlier.result)
    assert np.array_equal(earlier.picture.pixels, today.picture.pixels)
    assert not then.call(views, {**arguments, **more, "mark0": "A"}).ok
