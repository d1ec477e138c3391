"""Tools that break one promise each, for tests of the check."""

import os
import time
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from medvision_agent.quantity import LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.view.geometry import distance_mm
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import ViewSet


class Point(Arguments):
    """A point."""

    view: str = Field(default="v0", description="Id of the view (v0 if left out)")
    x: float = Field(description="x of the point, from 0 to {width}")
    y: float = Field(description="y of the point, from 0 to {height}")


class Length(Result):
    """A length."""

    length_mm: float


class Grey(Result):
    """A grey value."""

    grey: float


class Pixels(Result):
    """A length in pixels."""

    length_px: float


@tool(Point, Length)
def sound(views: ViewSet, args: Point) -> Output:
    """Measure how far a point lies from the left edge, in millimetres."""
    point = views.point(views.get(args.view), args.x, args.y)
    return Output(Length(length_mm=round(point.x * views.slice.spacing.width_mm, 4)))


@tool(Point, Length)
def raises(views: ViewSet, args: Point) -> Output:
    """Measure something, but for points in the right half of the view."""
    point = views.point(views.get(args.view), args.x, args.y)
    return Output(Length(length_mm=[1.0, 2.0][int(2.2 * point.x / views.slice.size.width)]))


@tool(Point, Length)
def infinite(views: ViewSet, args: Point) -> Output:
    """Measure something that is without end wherever the image is dark."""
    point = views.point(views.get(args.view), args.x, args.y)
    grey = views.slice.grey[int(point.y) - 1, int(point.x) - 1]
    return Output(Length(length_mm=float("inf") if grey < 40 else 1.0))


@tool(Point, Length)
def deaf(views: ViewSet, args: Point) -> Output:
    """Measure how far a point lies from an edge, whatever convention the model speaks."""
    height_mm, _ = views.get(args.view).field_mm
    return Output(Length(length_mm=args.y * height_mm))


@tool(Point, Grey, sees_image=False)
def peeps(views: ViewSet, args: Point) -> Output:
    """Return the mean grey value of the image, and say that it looks at none."""
    return Output(Grey(grey=float(views.slice.grey.mean())))


@tool(Point, Pixels)
def counts(views: ViewSet, args: Point) -> Output:
    """Return the width of the view in pixels, and say that it counts none."""
    return Output(Pixels(length_px=views.get(args.view).perceived.width))


@tool(Point, Length, overlay=" The picture shows the point.")
def promises(views: ViewSet, args: Point) -> Output:
    """Measure something, and promise a picture. The picture shows the point."""
    return Output(Length(length_mm=1.0))


@tool(Point, Length)
def spoils(views: ViewSet, args: Point) -> Output:
    """Measure something, and blacken the image on the way."""
    views.slice.values[:] = 0
    return Output(Length(length_mm=1.0))


@tool(Point, Length)
def refuses(views: ViewSet, args: Point) -> Output:
    """Measure nothing at all, whatever is asked of it by anyone."""
    views.get("v77")
    return Output(Length(length_mm=1.0))


class Line(Point):
    """Two points."""

    x1: float = Field(description="x of the second point, from 0 to {width}")
    y1: float = Field(description="y of the second point, from 0 to {height}")


@tool(Line, Length, measures=Measurand(LENGTH_MM, ("length_mm",), (("x", "y", "x1", "y1"),)))
def halves(views: ViewSet, args: Line) -> Output:
    """Measure half of a line, and declare that it is the length of the whole."""
    view = views.get(args.view)
    ends = views.point(view, args.x, args.y), views.point(view, args.x1, args.y1)
    return Output(Length(length_mm=round(distance_mm(*ends, views.slice.spacing) / 2, 4)))


class Found(Length):
    """A length and its points, without their view."""

    found_x0: float
    found_y0: float
    found_x1: float
    found_y1: float


_FOUND = ("found_x0", "found_y0", "found_x1", "found_y1")


@tool(Point, Found, solver=True, measures=Measurand(LENGTH_MM, ("length_mm",), (_FOUND,)))
def viewless(views: ViewSet, args: Point) -> Output:
    """Find both ends of something, and do not say in which view they lie."""
    views.point(views.get(args.view), args.x, args.y)
    return Output(Found(length_mm=0.0, found_x0=0.5, found_y0=0.5, found_x1=0.5, found_y1=0.5))


@tool(Point, Length)
def slow(views: ViewSet, args: Point) -> Output:
    """Take a minute, whatever is asked of it by anyone."""
    time.sleep(60)
    return Output(Length(length_mm=1.0))


@tool(Point, Length)
def greedy(views: ViewSet, args: Point) -> Output:
    """Take three gigabytes, whatever is asked of it by anyone."""
    return Output(Length(length_mm=float(np.ones(3 * 2**27)[0])))


@tool(Point, Length)
def dies(views: ViewSet, args: Point) -> Output:
    """End the whole process, whatever is asked of it by anyone."""
    os._exit(9)


class Listed(Arguments):
    """What providers do not all take."""

    corners: list[float] = Field(description="The corners")
    x0: float = Field(description="x of one corner, towards the top")
    zoom: float = Field(default=2.0, description="Enlargement")
    near: Annotated[float, Field(gt=0, description="A distance")] = 1.0
    way: Literal["up", "down"] = Field()


class Nested(BaseModel):
    """A point in a result."""

    x: float


class Rich(Result):
    """What a control cannot withhold."""

    points: list[Nested]
    picture: str


@tool(Listed, Rich)
def listed(views: ViewSet, args: Listed) -> Output:
    """Say something."""
    return Output(Rich(points=[Nested(x=1)], picture="x"), Picture(views.whole.pixels, "c"))
