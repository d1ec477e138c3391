"""Error analysis and the oracle learn of a tool from what it declares: here one that nobody has heard of."""

import asyncio

import pytest

from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.calls import calls_of
from medvision_agent.eval.why.measured import declared
from medvision_agent.eval.why.summary import summarise_why
from medvision_agent.quantity import ANGLE_DEG, AREA_MM2, LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Result, tool
from medvision_agent.tools.registry import TOOLS

COUNT = 2
FILE = """
from pydantic import Field
from medvision_agent.quantity import LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.view.geometry import distance_mm

class CaliperArguments(Arguments):
    view: str = Field(default="v0", description="Id of the view")
    from_x: float = Field(description="x of the first point, from 0 to {width}")
    from_y: float = Field(description="y of the first point, from 0 to {height}")
    to_x: float = Field(description="x of the second point, from 0 to {width}")
    to_y: float = Field(description="y of the second point, from 0 to {height}")

class Caliper(Result):
    length_mm: float

MEASURES = Measurand(LENGTH_MM, ("length_mm",), (("from_x", "from_y", "to_x", "to_y"),))

@tool(CaliperArguments, Caliper, DECLARED)
def caliper(views, args):
    '''Measure a length, rounded coarsely so that its own arithmetic shows.'''
    view = views.get(args.view)
    ends = views.point(view, args.from_x, args.from_y), views.point(view, args.to_x, args.to_y)
    return Output(Caliper(length_mm=round(distance_mm(*ends, view.slice.spacing))))
"""


class CaliperArguments(Arguments):
    """Two points."""

    from_x: float
    from_y: float
    to_x: float
    to_y: float


class Caliper(Result):
    """A length."""

    length_mm: float


def make(**declared):
    def caliper(views, args):
        """Measure a length."""

    return tool(CaliperArguments, Caliper, **declared)(caliper)


@pytest.fixture
def run_with(tmp_path):
    """Return a function that asks the oracle with the tool of a file, over phantoms, and takes the file away."""

    def run(declared):
        file = tmp_path / "mine.py"
        file.write_text(FILE.replace("DECLARED", declared))
        asked = Settings(
            model="oracle", tools="caliper", tools_from=file, data=f"phantom:{COUNT}:10", out=tmp_path / "run"
        )
        done = asyncio.run(execute(prepare(asked), watch=Watch(), stop=asyncio.Event()))
        file.unlink()
        return done

    return run


def test_the_oracle_measures_lengths_with_it_and_their_errors_are_its_arithmetic(run_with):
    summary = summarise_why(run_with("measures=MEASURES"))
    for task, calls in (("size", 2), ("distance", 1)):
        why = summary.tasks[task]
        assert why.behaviour.tools["caliper"].calls == calls * COUNT
        assert why.behaviour.last_result_is_answer.mean == 1
        for found in why.errors.quantities.values():
            assert found.with_solver == found.without_solver
            assert found.with_solver.sources == {"caliper": COUNT}
            assert found.with_solver.unit.absolute.mean == 0
            assert found.with_solver.arithmetic.signed.mean == pytest.approx(found.with_solver.error.signed.mean)
            assert 0.001 < found.with_solver.arithmetic.absolute.mean <= 0.5
    assert not summary.tasks["angle"].behaviour.tools  # it measures no angle: worked out instead
    assert summary.tasks["angle"].errors.quantities["angle"].with_solver.n == 0


def test_without_a_declaration_it_is_not_used(run_with):
    summary = summarise_why(run_with(""))
    assert not any(why.behaviour.tools for why in summary.tasks.values())


@pytest.mark.parametrize(
    "measures",
    [
        Measurand(LENGTH_MM, ("length",)),
        Measurand(LENGTH_MM, ("length_mm",), (("x0", "from_y", "to_x", "to_y"),)),
        (Measurand(LENGTH_MM, ("length_mm",)), Measurand(AREA_MM2, ("area_mm2",))),
    ],
)
def test_a_declaration_of_what_there_is_not_is_refused(measures):
    with pytest.raises(ValueError, match=r"caliper: its Measurand of .* names (length|x0|area_mm2), but neither"):
        make(measures=measures)


def test_points_are_declared_of_every_value_or_of_none():
    names = ("from_x", "from_y", "to_x", "to_y")
    with pytest.raises(ValueError, match="names 1 fields, but the points of 2 values"):
        make(measures=Measurand(LENGTH_MM, ("length_mm",), (names, names)))


def test_points_in_v0_repeat_the_points():
    names = ("length_mm",) * 4
    with pytest.raises(ValueError, match="in_v0 and points do not name the same number of coordinates"):
        make(measures=Measurand(LENGTH_MM, ("length_mm",), in_v0=(names,)))


def test_points_of_a_solver_stand_in_its_result():
    measures = Measurand(LENGTH_MM, ("length_mm",), (("from_x", "from_y", "to_x", "to_y"),))
    with pytest.raises(ValueError, match="names from_x, from_y, to_x, to_y, but neither the arguments nor the result"):
        make(measures=measures, solver=True)


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("ruler", {"size", "distance"}),
        ("protractor", {"angle"}),
        ("fit_contour", {"detection", "size"}),  # two axes are no distance
        ("python", {"size", "angle", "distance"}),  # a number, which is no box
        ("crop", set()),
        ("pixel_spacing", set()),
        ("no such tool", set()),
    ],
)
def test_what_a_result_says_follows_from_the_quantity_and_how_many_values_it_holds(name, tasks):
    shipped = {known: one.measuring for known, one in TOOLS.items()}
    [call] = calls_of({"tool_calls": [{"tool": name, "arguments": {}, "ok": True, "text": "{}"}]}, shipped)
    asked = ("detection", "size", "angle", "distance")
    assert {task for task in asked if declared(TASKS[task], call) is not None} == tasks


def test_as_many_points_as_determine_the_quantity():
    with pytest.raises(
        ValueError, match="its Measurand of angle must name in points, for each value, x and y of 4 points: 8 names"
    ):
        make(measures=Measurand(ANGLE_DEG, ("length_mm",), (("from_x", "from_y", "to_x", "to_y"),)))
