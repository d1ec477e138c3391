"""The sources this package ships, offered through the same entry points as any other package's.

Each is a function of what follows the name and a colon in ``--data``, empty where nothing does; *reading* is for
MedVision's data alone.
"""

from pathlib import Path

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.sources.demo import DemoSource
from medvision_agent.eval.data.sources.phantom import PhantomSource

__all__ = ["demo", "medvision", "phantom"]


def demo(argument: str, reading: Reading) -> DemoSource:  # noqa: ARG001
    """Return the demo set; raises ConfigError where an argument is given."""
    if argument:
        raise ConfigError(f"--data demo:{argument}: the demo set takes no argument; expected demo")
    return DemoSource()


def phantom(argument: str, reading: Reading) -> PhantomSource:  # noqa: ARG001
    """Return the phantoms for the argument ``N``, ``N:SEED`` or an empty one; raises ConfigError for any other."""
    return PhantomSource(f"phantom:{argument}" if argument else "phantom")


def medvision(argument: str, reading: Reading) -> MedVisionSource:
    """Return MedVision's data in the folder *argument*, read as *reading* says.

    Raises ConfigError if no folder is given, DataError if it is not a data folder.
    """
    if not argument:
        raise ConfigError("--data medvision: expected medvision:DIR, the folder that MedVision's downloader filled")
    return MedVisionSource(Path(argument), reading)
