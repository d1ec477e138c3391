"""A tool to start from: a working, tested file with comments that explain its parts."""

from importlib.resources import files
from keyword import iskeyword
from pathlib import Path

from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.tools.registry import installed
from medvision_agent.tools.registry.offers import unfit_name

__all__ = ["write_skeleton"]


def write_skeleton(name: str, folder: Path) -> Path:
    """Write the file ``NAME.py`` of a tool called *name* into *folder*, and return its path.

    Raises ConfigError for an invalid name or the name of an installed tool; StorageError where the file exists already
    or cannot be written.
    """
    if problem := unfit_name(name) or ("a tool cannot have the name of a keyword of Python" if iskeyword(name) else ""):
        raise ConfigError(f"{name}: {problem}; choose another name")
    if name in installed().offers:
        origin = installed().offers[name].origin
        raise ConfigError(f"{name}: a tool of that name is already in {origin}; choose another name")
    skeleton = files("medvision_agent.tools.own").joinpath("skeleton.txt").read_text(encoding="utf-8")
    camel = "".join(part.capitalize() for part in name.split("_")) or "Tool"
    path = folder / f"{name}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(skeleton.replace("NAME", name).replace("CLASS", camel))
    except FileExistsError:
        raise StorageError(f"{path}: the file exists already; choose another name, or move the file") from None
    except OSError as error:
        raise StorageError(
            f"{path}: the file of the new tool cannot be written ({error.strerror}); choose a folder that exists and "
            "that you may write to"
        ) from None
    return path
