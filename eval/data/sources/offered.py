"""Checks a source of another package against the contract of ``Source``.

Contract: every sample is validated again, ids are unique, every sample has a subject, synthetic and other samples do
not mix, and an image is a finite array of two dimensions. Whatever the package raises or returns wrongly is a DataError
that names it; what is wrong with one image fails that sample only.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.data.source import NativeImage, Read, Source, SourceInfo
from medvision_agent.eval.data.sources.checks import check_points, check_sample, whole
from medvision_agent.eval.data.sources.listing import Listing
from medvision_agent.eval.data.sources.picture import MAX_SIDE
from medvision_agent.plugins import Offer
from medvision_agent.tools.view.slice import FloatImage, Stack, Units

__all__ = ["OfferedSource"]

_T = TypeVar("_T")
_CORRECT = "correct the package"
_NOT_FINITE = "values that are NaN, infinite or too large for 32-bit floats; expected finite numbers"


class OfferedSource:
    """A source that another package's factory makes from an argument; everything it returns is checked."""

    def __init__(self, offer: Offer, name: str, argument: str) -> None:
        """Make the source that ``--data`` *name* asks for from *argument*; raises DataError if the package fails."""
        self._offer, self._name = offer, name
        self._source: Source = offer.made(argument)

    @property
    def info(self) -> SourceInfo:
        """The package's note about its samples, with the name in ``--data`` and the package's version and hash."""
        given = self._told("info", SourceInfo, lambda: self._source.info)
        return replace(given, name=self._name, origin=self._offer.origin())

    @cached_property
    def samples(self) -> Samples:
        """All samples, checked; raises DataError for the first wrong sample, or if the package returns none."""
        listing = Listing(whole(self.read()), self.place)
        if not listing.samples:
            raise self._offer.failed(f"--data {self._name} contains no samples; check what follows the colon")
        return listing.samples

    def read(self) -> Iterator[Read]:
        """Yield the number (from 1) of each sample with the checked sample or the error in it.

        Raises DataError where the package returns no sequence.
        """
        given = self._told("samples", object, lambda: self._source.samples)
        if not isinstance(given, Sequence):
            found = type(given).__name__
            raise self._offer.failed(f"samples: expected a sequence, such as a list, found {found}; {_CORRECT}")
        for at in range(len(given)):
            one = self._told("samples", object, partial(given.__getitem__, at))
            try:
                yield at + 1, check_sample(one, self.place(at + 1))
            except DataError as error:
                yield at + 1, error

    def place(self, number: int) -> str:
        """Return the words that messages use for the sample with this number in the list, from 1."""
        return f"{self._offer}: sample {number}"

    def load(self, sample: Sample) -> NativeImage:
        """Return the native pixels of a sample; raises DataError where the package fails, or its image is not valid."""
        native = self._told("load", NativeImage, lambda: self._source.load(sample))
        place = f"{self._offer}: {sample.id}"
        given = self._told("load", np.ndarray, lambda: np.asarray(native.values))
        if given.ndim != 2 or not all(1 <= side <= MAX_SIDE for side in given.shape):
            expected = f"height and width of 1 to {MAX_SIDE} px"
            raise DataError(f"{place}: the image has the shape {given.shape}; expected {expected}; {_CORRECT}")
        if given.dtype.kind not in "uif":
            raise DataError(f"{place}: the image has {given.dtype} values; expected real numbers; {_CORRECT}")
        with np.errstate(over="ignore"):
            values = given.astype(np.float32)
        if not np.isfinite(values).all():
            raise DataError(f"{place}: the image has {_NOT_FINITE}; {_CORRECT}")
        if native.displayed and (values.min() < 0 or values.max() > 255):
            raise DataError(
                f"{place}: displayed is true, but the grey levels run from {values.min():g} to {values.max():g}; "
                f"expected grey levels from 0 to 255, or displayed = False; {_CORRECT}"
            )
        checked = NativeImage(values, bool(native.displayed), self._units(native, place), self._stack(native, place))
        check_points(sample, values.shape, place)
        return checked

    def _units(self, native: NativeImage, place: str) -> Units:
        given: object = native.declared
        if given not in tuple(Units):
            known = ", ".join(repr(str(unit)) for unit in Units)
            raise DataError(f"{place}: declared: {given!r} is not a known unit; expected one of {known}; {_CORRECT}")
        return Units(native.declared)

    def _stack(self, native: NativeImage, place: str) -> Stack | None:
        """Return the slices beside an image, each of them checked when it is read.

        None if the package gives no such slices.
        """
        stack: object = native.stack
        if stack is None:
            return None
        if not isinstance(stack, Stack) or not stack.first <= 0 <= stack.last or not 0 < stack.step_mm < math.inf:
            expected = "expected a Stack with first <= 0 <= last and a finite step_mm above 0"
            raise DataError(f"{place}: stack: {expected}; {_CORRECT}")

        def checked(away: int) -> FloatImage:
            given = self._told("stack", np.ndarray, lambda: np.asarray(stack.values(away)))
            if given.shape != native.values.shape or given.dtype.kind not in "uif":
                expected = "must hold real numbers and have the shape of the image"
                raise DataError(f"{place}: stack: slice {away} {expected}; {_CORRECT}")
            with np.errstate(over="ignore"):
                values = given.astype(np.float32)
            if not np.isfinite(values).all():
                raise DataError(f"{place}: stack: slice {away} has {_NOT_FINITE}; {_CORRECT}")
            return values

        return replace(stack, values=checked)

    def _told(self, what: str, wanted: type[_T], told: Callable[[], object]) -> _T:
        """Return the result of *told*, a call to the package, if it is of the class *wanted*.

        Raises DataError naming the package if it is not, or if the call fails. *what* names the attribute or method in
        messages.
        """
        try:
            value = told()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's code may raise anything
            raise self._offer.failed(error) from None
        if not isinstance(value, wanted):
            found = type(value).__name__
            raise self._offer.failed(f"{what}: expected {wanted.__name__}, found {found}; {_CORRECT}")
        return value
