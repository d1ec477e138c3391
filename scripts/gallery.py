"""Fill the gallery of the site: ``python scripts/gallery.py FOLDER``.

A study of every control over the demo set is run, without a network, and written as the gallery shows it: its report
(``report.html``), the same with links into the viewer, and the viewer's bundle (``viewer/``).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("medvision-agent")
STUDY = ROOT / "examples/studies/demo-controls.yaml"


def main(target: Path) -> None:
    """Write the gallery into the folder *target*."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "demo-controls"
        _run("ablate", STUDY, "--out", study)
        _run("report", study, "--out", target / "report.html", "--viewer", target / "viewer")
    print(f"wrote {target}")


def _run(*words: str | Path) -> None:
    subprocess.run([COMMAND, *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
