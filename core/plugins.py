"""What installed packages offer by entry points: this package first, through the same door as any other."""

from importlib.metadata import EntryPoint, entry_points

__all__ = ["OURS", "package_of", "plugged_in"]

OURS = "medvision-agent"


def plugged_in(group: str) -> list[EntryPoint]:
    """Return the entry points of *group*, this package's first; a package found twice on the path counts once."""
    found = {(package_of(point), point.name): point for point in entry_points(group=group)}
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != OURS, key))]


def package_of(point: EntryPoint) -> str:
    """Return the name of the package that an entry point belongs to, empty where it has none."""
    return point.dist.name if point.dist is not None else ""
