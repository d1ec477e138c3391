"""MedVision's own prompts, for ``test_words.py``: its functions as they are, with volumes read and sizes worked out.

    python original.py QUESTIONS ANSWERS        (in the data folder)

QUESTIONS is a JSON list of [kind, upstream's key of the model, path of the plan, row of the dataset].
"""

import gzip
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace


def main(asked: Path, told: Path) -> None:
    package = Path(importlib.util.find_spec("medvision_bm").submodule_search_locations[0])
    file = package / "medvision_lmms_eval/lmms_eval/tasks/medvision/medvision_utils.py"
    spec = importlib.util.spec_from_file_location("medvision_utils", file)
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)
    texts = []
    for kind, key, plan, row in json.loads(asked.read_text()):
        module = SimpleNamespace(benchmark_plan=json.loads(gzip.decompress(Path(plan).read_bytes())))
        texts.append(getattr(utils, f"create_doc_to_text_{kind}")(module)(row, {"model_name": key}))
    told.write_text(json.dumps(texts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
