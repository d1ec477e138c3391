"""A slice of a volume for tests of the tools that look at native values."""

import numpy as np

from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import Slice, Stack, Units
from medvision_agent.tools.view.slice import Window as Mapping

SHAPE = (7, 30, 20)
"""Slices, height, width."""
TARGET = 2
"""Which slice is asked about."""
VOLUME = np.random.default_rng(5).normal(50, 300, SHAPE).astype(np.float32)
STEP_MM = 2.5


def ct_slice(units=Units.HU):
    """Return slice TARGET of VOLUME, 60 x 10 mm, shown from -1000 to 1000."""
    stack = Stack(-TARGET, SHAPE[0] - 1 - TARGET, STEP_MM, lambda away: VOLUME[TARGET + away])
    return Slice(VOLUME[TARGET], Spacing(2.0, 0.5), Mapping(-1000, 1000), units, stack)
