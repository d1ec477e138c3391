"""Canvases of stored runs that tests make: one script, asked over one sample."""

import json
from pathlib import Path

import numpy as np

import medvision_agent as mva
from medvision_agent.eval.browse.scene import scene_of_sample
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.why.stored import tools_of

MINI = Path(__file__).parent / "data/medvision-mini/Data"
LESION = {"configs": ("MiniTumor_TumorLesionSize_Task01_Axial",), "limit": 1}
ALL = "crop,ruler,protractor,fit_contour,segment,mark,window,neighbours,statistics,pixel_spacing,python"


class Asked:
    """Runs one script over one sample and returns its canvas."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, script, **settings):
        """Ask about one sample and return its canvas."""
        (scene,) = self.run_all(script, **settings)
        (self.record,) = self.stored.records
        return scene

    def run_all(self, script, **settings):
        """Ask about all samples and return their canvases."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "script.json").write_text(json.dumps(script))
        given = {"data": f"medvision:{MINI}", "selection": LESION, "tools": ALL} | settings
        model = {"model": "scripted", "script": str(self.folder / "script.json")}
        mva.run(**model | given, out=self.folder / "run", progress=False)
        return self.read_all()

    def read(self):
        """Return the canvas of the one sample as it is now."""
        return self.read_all()[0]

    def read_all(self):
        """Return the canvases of all samples as they are now; ``kept`` has the images that were made."""
        self.stored, self.kept = open_run(self.folder / "run"), {}
        tools = tools_of(self.stored)
        return [scene_of_sample(self.stored, one, tools, keep=self.kept.__setitem__) for one in self.stored.records]


def call(tool, **args):
    return {"name": tool, "args": args}


def named(scene, name, kind=None):
    """Return the marks whose name begins in one way."""
    return [one for one in scene.marks if one.name.startswith(name) and kind in (None, one.kind)]


def length(scene, points):
    """Return the distance in mm of two points as the canvas reads it."""
    (ax, ay), (bx, by) = points
    shown = scene.shown
    return float(np.hypot((bx - ax) * shown.pixel_width_mm, (by - ay) * shown.pixel_height_mm))
