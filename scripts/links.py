"""Make the link tree through which standard tools see the package: ``python scripts/links.py [--install]``.

The folders at the top of the repository are the subpackages of ``medvision_agent``. An editable install maps them with
an import hook, which editors, type checkers and import linters do not run. The tree ``.links/medvision_agent`` shows
them a package as it lies on disk. With ``--install`` a ``.pth`` file in the environment of this Python names the tree,
so that whatever asks that environment finds the package there. Repeat the command after adding a file to ``core/``.
"""

import os
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / ".links" / "medvision_agent"
SUBPACKAGES = {name: ROOT / name for name in ("agent", "cli", "eval", "prompts", "tools")}
SUBPACKAGES["viewer"] = ROOT / "viewer" / "built"


def wanted() -> dict[str, Path]:
    """Return the package's contents by name: every file and folder of core/, and the other folders as a whole."""
    own = {path.name: path for path in (ROOT / "core").iterdir() if path.name != "__pycache__"}
    return own | SUBPACKAGES


def link(tree: Path = TREE) -> None:
    """Bring *tree* up to date; its links are relative, so that the checkout can be moved."""
    tree.mkdir(parents=True, exist_ok=True)
    targets = {name: os.path.relpath(path, tree) for name, path in wanted().items()}
    for old in tree.iterdir():
        if old.is_symlink() and targets.get(old.name) != str(old.readlink()):
            old.unlink()
    for name, target in targets.items():
        if not (tree / name).is_symlink():
            (tree / name).symlink_to(target)


def install(site: Path) -> Path:
    """Name the tree in the folder of installed packages *site*; return the file written there."""
    file = site / "medvision_agent_links.pth"
    file.write_text(f"{TREE.parent}\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    link()
    if "--install" in sys.argv[1:]:
        print(f"wrote {install(Path(sysconfig.get_path('purelib')))}")
