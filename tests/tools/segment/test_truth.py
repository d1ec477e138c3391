"""The ground truth in place of a method: exact, degraded as stated, and the same for the same call."""

import numpy as np
import pytest

from medvision_agent.tools.segment.candidates import Prompt
from medvision_agent.tools.segment.truth import Truth, told
from medvision_agent.tools.view.geometry import Point, Region, Spacing
from medvision_agent.tools.view.slice import grey_slice

IMAGE = grey_slice(np.zeros((200, 200)), Spacing(2.0, 0.5))
TURN = np.linspace(0, 2 * np.pi, 400, endpoint=False)
RING = np.stack((100 + 40 * np.cos(TURN), 100 + 10 * np.sin(TURN)), axis=1)
"""A circle of 20 mm around the middle."""
TRUTH = Truth(RING, "case-1")
PROMPT = Prompt(Region(1, 2, 30, 40))


def radii(outline) -> np.ndarray:
    """Return the distances of an outline from the middle in mm, relative to the true ones."""
    return np.hypot(*((outline - (100, 100)) * (0.5, 2.0)).T) / 20


def degraded(amplitude, sample="case-1", prompt=PROMPT):
    return radii(told(Truth(RING, sample), amplitude)(IMAGE, prompt)[0].measured.outline)


def test_the_true_outline_is_measured_wherever_the_model_points():
    for prompt in (PROMPT, Prompt(None, Point(3, 3)), Prompt(None, Point(150, 150))):
        (found,) = told(TRUTH)(IMAGE, prompt)
        assert found.measured.outline == pytest.approx(RING)
        assert (found.measured.ellipse.major_mm, found.measured.ellipse.minor_mm) == pytest.approx((40, 40), rel=0.015)


def test_the_same_call_has_the_same_error_and_others_have_others():
    assert degraded(0.2) == pytest.approx(degraded(0.2), abs=0)
    others = [degraded(0.2, sample="case-2"), degraded(0.2, prompt=Prompt(Region(1, 2, 30, 41)))]
    assert all(np.abs(other - degraded(0.2)).max() > 0.01 for other in others)


def test_the_amplitude_scales_the_logarithm_of_the_distance():
    small, large = np.log(degraded(0.05)), np.log(degraded(0.1))
    assert large == pytest.approx(2 * small, abs=1e-9)
    assert np.abs(small).max() > 0.01


def test_the_amplitude_is_a_standard_deviation_at_every_angle():
    logs = np.log([degraded(0.1, sample=f"case-{number}") for number in range(400)])
    assert logs.mean(axis=0) == pytest.approx(0, abs=0.025)
    assert logs.std(axis=0) == pytest.approx(0.1, rel=0.15)


def test_the_error_is_smooth():
    assert np.abs(np.diff(np.log(degraded(0.1)))).max() < 0.01
