"""The program that reads MedVision's prompts; it runs in the environment where ``medvision-bm`` is installed.

It imports nothing of this package, because that environment need not have it. ``agent/upstream/words.py`` copies this
file to an empty folder and starts it there: ``python lend.py ASKED TOLD``.

Contract: ASKED holds one JSON object per line (``Asked`` in ``words.py``). TOLD gets the package's version and the hash
of the files that the texts come from, then a line for each question: its text, or why it has no text. If the package
cannot be imported, TOLD holds only the reason.

The interface was read in medvision-bm 1.2.1: ``create_doc_to_text_KIND`` takes an object with ``benchmark_plan`` and
returns a function from a row of the dataset to a text. That function reads the image by ``_load_nifti_2d`` and the size
that the model perceives by ``get_resized_img_shape``. Both are replaced by the facts of the question, so that no volume
is read and no checkpoint is loaded.
"""

import json
import sys
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

_PACKAGE = "medvision-bm"
_UTILS, _PROMPTS = "tasks/medvision/medvision_utils.py", "medvision_bm.sft.sft_prompts"
_READS = ("_load_nifti_2d", "get_resized_img_shape")


def _utils() -> ModuleType:
    """Return upstream's module of prompts: from its installed evaluator, else from the copy in ``medvision-bm``.

    The file is loaded alone, because the evaluator's packages import much that prompts do not need. Raises ImportError
    if neither is installed.
    """
    homes = [(name, find_spec(name)) for name in ("lmms_eval", "medvision_bm")]
    for name, spec in homes:
        for home in (spec.submodule_search_locations or ()) if spec else ():
            beneath = Path(home) if name == "lmms_eval" else Path(home) / "medvision_lmms_eval" / "lmms_eval"
            if (found := spec_from_file_location("medvision_utils", beneath / _UTILS)) and (beneath / _UTILS).is_file():
                module = module_from_spec(found)
                if found.loader is not None:
                    found.loader.exec_module(module)
                    return module
    raise ImportError(f"{_PACKAGE} is not installed")


def _about(modules: list[ModuleType]) -> dict[str, str]:
    """Return the name and version of the package, and the hash of the files that the texts come from."""
    digest = sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes() + b"\0")
    return {"package": _PACKAGE, "version": version(_PACKAGE), "sha256": digest.hexdigest()}


def _text(utils: ModuleType, asked: dict[str, Any]) -> str:
    """Return upstream's text for one question; exceptions of upstream's code pass through."""
    import numpy as np  # noqa: PLC0415 - upstream's environment has it

    make = getattr(utils, f"create_doc_to_text_{asked['kind']}")
    place = int(asked["row"]["taskID"])
    plan = {"tasks": [*[{}] * (place - 1), asked["task"]]}
    # In single precision and by the factors of the resampling, as upstream reads spacings: 3 decimals are stated.
    sides = zip(asked["spacing_hw"], asked["shape_hw"], asked["native_hw"], strict=True)
    spacing = tuple(np.float32(side) if sent == own else np.float32(side) / (sent / own) for side, sent, own in sides)
    image = np.zeros(asked["shape_hw"], np.float32)
    canvas, content = tuple(asked["canvas_hw"]), tuple(asked["content_hw"])
    vars(utils).update(
        _load_nifti_2d=lambda *_, **__: (spacing, image), get_resized_img_shape=lambda *_, **__: (canvas, content)
    )
    return str(make(SimpleNamespace(benchmark_plan=plan))(asked["row"], {}))


def _told(utils: ModuleType, line: str) -> dict[str, str]:
    try:
        return {"text": _text(utils, json.loads(line))}
    except Exception as error:  # noqa: BLE001 - the calling process names the sample
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def main(asked: Path, told: Path) -> None:
    """Write upstream's text for every question in the file *asked* to the file *told*, in the same order.

    A question without a text gets the reason; if the package cannot be imported, only that reason is written.
    """
    with asked.open(encoding="utf-8") as questions, told.open("w", encoding="utf-8") as answers:
        try:
            modules = [_utils(), import_module(_PROMPTS)]
            if lacking := [name for name in _READS if not hasattr(modules[0], name)]:
                raise ImportError(f"{_UTILS} has no {' and no '.join(lacking)}")
            about = _about(modules)
        except Exception as error:  # noqa: BLE001 - an import runs whatever upstream's packages do at their top
            answers.write(json.dumps({"missing": f"{type(error).__name__}: {error}"[:500]}) + "\n")
            return
        answers.write(json.dumps(about) + "\n")
        # One text at a time: nothing grows with the number of questions.
        answers.writelines(json.dumps(_told(modules[0], line)) + "\n" for line in questions)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
