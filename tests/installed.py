"""Packages that offer something: installed by pip, or written as an installer leaves them; and who sees them."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import COMMAND

EXAMPLES = Path(__file__).parents[1] / "examples"
_PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]


def install(source: Path, target: Path, work: Path) -> Path:
    """Install the package in *source* into *target* without a network, by way of a copy in *work*; returns *target*."""
    copied(source, work)
    subprocess.run([*_PIP, "--target", target, work], check=True, capture_output=True, timeout=300)
    return target


def copied(source: Path, target: Path) -> Path:
    """Copy the files of a folder, without Python's caches, for a test to change them."""
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return target


def written(site: Path, package: str, group: str, names: dict[str, str], **modules: str) -> Path:
    """Write a package of some modules that offers *names* (each MODULE:OBJECT), as an installer would leave it."""
    info = site / f"{package.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n", encoding="utf-8")
    entries = "".join(f"{name} = {value}\n" for name, value in names.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{entries}", encoding="utf-8")
    for name, code in modules.items():
        (site / f"{name}.py").write_text(code, encoding="utf-8")
    return site


@contextmanager
def plugged_in(site: Path) -> Iterator[None]:
    """Have the packages in *site* installed, for this process, while it lasts."""
    before = set(sys.modules)
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(site)):
                del sys.modules[name]


def command(site: Path, *words: object) -> tuple[int, str, str]:
    """Run medvision-agent where the packages in *site* are installed; returns code, output and errors."""
    there = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        env=os.environ | {"PYTHONPATH": there},
        cwd=site,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
