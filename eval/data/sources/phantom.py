"""Phantoms as a source: ``phantom[:N[:SEED]]``, made on request; nothing is stored.

N subjects, each with its own image and one question of every task about it (4 N samples). What results on phantoms
show: ``eval/data/phantom``.
"""

import re
from functools import cached_property

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.phantom.geometry import draw_phantom
from medvision_agent.eval.data.phantom.questions import PER_PHANTOM, phantom_index, questions
from medvision_agent.eval.data.phantom.render import render
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.data.source import NativeImage, SourceInfo

__all__ = ["PhantomSource"]

_DEFAULT = 200
_MOST = 100_000
_FORM = re.compile(r"phantom(?::([0-9]{1,9})(?::([0-9]{1,9}))?)?")


class PhantomSource:
    """The first N phantoms of a seed as a source: four samples about each."""

    def __init__(self, name: str) -> None:
        """Parse *name* (``phantom``, ``phantom:N`` or ``phantom:N:SEED``); raises ConfigError for any other form."""
        form = _FORM.fullmatch(name)
        count, seed = (int(form[1] or _DEFAULT), int(form[2] or 0)) if form else (0, 0)
        if not 1 <= count <= _MOST:
            raise ConfigError(
                f"--data {name}: is not a set of phantoms; expected phantom, phantom:N or phantom:N:SEED, with N, the "
                f"number of images, from 1 to {_MOST} ({_DEFAULT} if left out), and a random seed, a whole number of 0 "
                "or more (0 if left out); for instance phantom:20:1"
            )
        self._count, self._seed = count, seed

    @property
    def info(self) -> SourceInfo:
        """The source's full name, with a note that no image of it is a medical image."""
        return SourceInfo(
            name=f"phantom:{self._count}:{self._seed}",
            demonstration=False,
            note=(
                "SYNTHETIC images (phantoms) with exactly known ground truth, for calibrating tools and statistics. "
                "Not medical images: figures on them are no benchmark score, and enter no mean with real data. Target "
                "boxes lie at true edges (convention 'edge')."
            ),
        )

    @cached_property
    def samples(self) -> Samples:
        """Four samples about each phantom, in the order of the phantoms' indices."""
        return _Questions(self._seed, self._count)

    def fingerprint(self) -> str:
        """Return the name of the source, which determines all samples."""
        return self.info.name

    def load(self, sample: Sample) -> NativeImage:
        """Return the image of a sample, made from its seed and index, in grey levels as displayed."""
        return NativeImage(render(draw_phantom(self._seed, phantom_index(sample.image))), displayed=True)


class _Questions(Samples):
    """All questions about the first phantoms of a seed."""

    def __init__(self, seed: int, count: int) -> None:
        self._seed, self._count = seed, count
        self._last: tuple[int, list[Sample]] = -1, []

    def __len__(self) -> int:
        return PER_PHANTOM * self._count

    def _made(self, row: int) -> Sample:
        index, place = divmod(row, PER_PHANTOM)
        last = self._last
        if last[0] != index:
            self._last = last = index, questions(draw_phantom(self._seed, index))
        return last[1][place]
