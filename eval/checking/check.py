"""Checks a whole source, or the samples of a run before the first request."""

from collections.abc import Callable, Iterator
from time import monotonic

from medvision_agent.errors import DataError
from medvision_agent.eval.checking.finding import Checked, check_unchecked
from medvision_agent.eval.checking.mapping import check_mapping
from medvision_agent.eval.checking.pictures import Opener
from medvision_agent.eval.checking.walk import Walk
from medvision_agent.eval.data.medvision.source import MedVisionSource
from medvision_agent.eval.data.medvision.survey import Survey
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.data.source import Read, Source
from medvision_agent.eval.data.sources.checks import FileSource
from medvision_agent.eval.data.sources.demo import DemoSource
from medvision_agent.eval.data.sources.offered import OfferedSource
from medvision_agent.eval.data.sources.phantom import PhantomSource

__all__ = ["SECONDS", "check_folder", "check_selected", "check_source", "refuse"]

SECONDS = 60.0
"""Seconds for which images and headers are opened before a run."""
_SHOWN = 10
"""How many refusals an error names."""


def check_source(source: Source, unchecked: tuple[str, ...] = ()) -> Checked:
    """Check all samples of a source, decode their images, and return what was found.

    *unchecked* names rules that are switched off. Raises DataError if the source cannot be read at all or has no
    samples, and ConfigError for a rule that cannot be switched off.
    """
    if isinstance(source, MedVisionSource):
        return check_folder(source, unchecked=unchecked)[0]
    checked = Checked(unchecked=check_unchecked(unchecked))
    opener = Opener(source, decode=True, numbered=True)
    if isinstance(source, FileSource | OfferedSource):
        place = source.place

        def read() -> Iterator[Read]:
            return source.read()
    else:

        def place(number: int) -> str:
            return f"{source.info.name}: {source.samples[number - 1].id}"

        def read() -> Iterator[Read]:
            return iter(enumerate(source.samples, start=1))

    def samples_at(numbers: set[int]) -> Iterator[Read]:
        """Return the samples with these numbers, from a second pass over the source."""
        return (one for one in read() if one[0] in numbers)

    Walk(checked, opener, place, samples_at).all(read())
    if not checked.samples:
        raise DataError(f"{source.info.name}: contains no samples, so there is nothing to check; give another source")
    return checked


def check_folder(
    source: MedVisionSource,
    say: Callable[[str], None] = lambda _: None,
    *,
    unpack: bool = True,
    unchecked: tuple[str, ...] = (),
) -> tuple[Checked, Survey]:
    """Check everything in MedVision's data folder; return what was found, and the survey of the folder's files.

    *say* is called with each broken file when it is found. Without *unpack*, volumes are not unpacked, and damage
    inside them is not found. *unchecked* names rules that are switched off; ConfigError for one that cannot be.
    """
    checked = Checked(unchecked=check_unchecked(unchecked))
    ids = list[str]()

    def place(number: int) -> str:
        return ids[number] if number < len(ids) else ""

    walk = Walk(checked, Opener(source, decode=False, numbered=False), place, lambda _: ())

    def each(sample: Sample) -> None:
        ids.append(sample.id)
        walk.one(len(ids) - 1, sample)

    def broken(problem: str) -> None:
        walk.error("data-folder", DataError(problem), "")
        say(problem)

    survey = Survey(source, lambda _: True, broken, samples=True, volumes=unpack, each=each)
    survey.run()
    walk.end()
    check_mapping(checked, source, None)
    return checked, survey


def check_selected(
    source: Source, samples: Samples, unchecked: tuple[str, ...] = (), seconds: float = SECONDS
) -> Checked:
    """Check the samples of a run before its first request, and return what was found.

    Images and headers are opened for at most *seconds* seconds. Samples that this program ships or makes (demo,
    phantom) are only counted: its tests check them. *unchecked* names rules that are switched off.
    """
    checked = Checked(unchecked=check_unchecked(unchecked))
    if isinstance(source, DemoSource | PhantomSource):
        checked.samples = len(samples)
        return checked
    deadline = monotonic() + seconds
    name = source.info.name if isinstance(source, OfferedSource | MedVisionSource) else ""

    def place(number: int) -> str:
        sample = samples[number]
        return source.place_of(sample) if isinstance(source, FileSource) else f"{name}: {sample.id}"

    def samples_at(numbers: set[int]) -> Iterator[Read]:
        return ((number, samples[number]) for number in sorted(numbers))

    opener = Opener(source, decode=False, numbered=False)
    Walk(checked, opener, place, samples_at, deadline).all(enumerate(samples))
    if isinstance(source, MedVisionSource):
        check_mapping(checked, source, deadline)
    return checked


def refuse(checked: Checked, data: str) -> None:
    """Raise DataError with the first ten refusals, if there are any, and the command that lists all of them."""
    if checked.refusals:
        lines = "\n".join(checked.lines(_SHOWN))
        found = "1 mistake" if checked.refusals == 1 else f"{checked.refusals} mistakes"
        raise DataError(
            f"{lines}\n{found} in the samples, found before the first request. Correct the samples, then repeat the "
            f"command. To check the whole source: medvision-agent data check {data}"
        )
