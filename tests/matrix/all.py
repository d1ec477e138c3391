"""Every matrix by its name: in full, and the small part that the tests run."""

from collections.abc import Callable
from pathlib import Path

from matrix import breaker, damage, escapes, floods, handles, hostile, kills, resources, stops, wire, workers
from matrix.row import Row

Matrix = Callable[[Path, int], list[Row]]
"""Takes a folder of its own and a seed."""

_FEW = {"commands": ("run",), "connections": (8,)}
_PROCESSES = (("run", 2), ("ablate", 2))


def full(share: float = 1.0) -> dict[str, Matrix]:
    """Return every matrix with its number of trials, or a *share* of it; a list of things is always tried in full."""

    def of(trials: int) -> int:
        return max(1, round(share * trials))

    return {
        "floods": floods.matrix,
        "breaker": lambda folder, seed: breaker.matrix(folder, seed, of(3)),
        "handles": lambda folder, seed: handles.matrix(folder, seed, of(8)),
        "damage": lambda folder, seed: damage.matrix(folder, seed, of(12)),
        "wire": wire.matrix,
        "hostile": hostile.matrix,
        "escapes": lambda folder, seed: escapes.matrix(seed, of(300)),
        "resources": lambda folder, seed: resources.matrix(folder, seed, of(8)),
        "stops": lambda folder, seed: stops.matrix(folder, seed, of(200)),
        "kills": lambda folder, seed: kills.matrix(folder, seed, of(1000)),
        "processes": lambda folder, seed: kills.matrix(folder, seed, of(72), commands=(), processes=_PROCESSES),
        "workers": lambda folder, seed: workers.matrix(folder, seed, of(10), workers.LOCAL),
        "ray": lambda folder, seed: workers.matrix(folder, seed, of(4), workers.RAY),
    }


FULL = full()
SAMPLE: dict[str, Matrix] = {
    "wire": lambda folder, seed: wire.matrix(folder, seed, 4),
    "floods": lambda folder, seed: floods.matrix(folder, seed, 2),
    "breaker": lambda folder, seed: breaker.matrix(folder, seed, 1, connections=(8,), at_most=2),
    "handles": lambda folder, seed: handles.matrix(folder, seed, 1),
    "damage": lambda folder, seed: damage.matrix(folder, seed, 1),
    "hostile": lambda folder, seed: hostile.matrix(folder, seed, 3),
    "escapes": lambda folder, seed: escapes.matrix(seed, 15, 10),
    "resources": lambda folder, seed: resources.matrix(folder, seed, 1),
    "stops": lambda folder, seed: stops.matrix(folder, seed, 6, **_FEW),
    "kills": lambda folder, seed: kills.matrix(folder, seed, 18, **_FEW),
    "processes": lambda folder, seed: kills.matrix(folder, seed, 3, commands=(), processes=_PROCESSES[:1]),
    "workers": lambda folder, seed: workers.matrix(folder, seed, 1, workers.LOCAL[:3]),
    "ray": lambda folder, seed: [Row("workers", "Ray", skipped="not in the sample; see tests/cli/test_cluster.py")],
}
