"""A stored run of any size over MedVision's samples: varied copies of those of the tests' small data folder.

It has the identity and the settings of another stored run, so it can be read, and not be resumed.
"""

import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # before this folder, which has an upstream.py too

from big_store import Made
from exported import answered
from upstream import renamed

from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

__all__ = ["make_medvision"]

MINI = Path(__file__).parents[1] / "tests" / "data" / "medvision-mini" / "Data"


def make_medvision(root: Path, like: str, number: int) -> None:
    """Store a run of *number* finished samples in *root*/medvision, with the identity of the run *like* beside it."""
    run = open_run(root / like)
    seeds = answered(renamed(MINI, root / "mini"))
    samples = (record.sample for record in _varied(seeds, number))
    with RunStore.create(root / "medvision", samples, run.identity, run.config) as store:
        store._writer.do(lambda database: database.execute("PRAGMA synchronous = OFF"))
        for record in _varied(seeds, number):
            store.add(record, Made())


def _varied(seeds: list[Record], number: int) -> Iterator[Record]:
    """Yield copies of *seeds* with ids, places, subjects, images, ground truths and answers of their own."""
    rng = Random(3)  # noqa: S311 - of no use to anyone else
    return islice((_copy(seed, lap, rng) for lap in count() for seed in rng.sample(seeds, len(seeds))), number)


def _copy(seed: Record, lap: int, rng: Random) -> Record:
    sample = seed.sample
    facts = sample.medvision
    assert facts is not None  # noqa: S101 - the folder is MedVision's
    case = f"case{lap:06d}"
    own = sample.model_copy(
        update={
            "id": f"{sample.id}-{lap}",
            "subject": f"{sample.subject}-{case}",
            "target": tuple(value * (1 + lap % 100 / 1000) for value in sample.target),
            "medvision": facts.model_copy(
                update={"doc_id": facts.doc_id + 1000 * lap, "image_file": f"{case}/{facts.image_file}"}
            ),
        }
    )
    digits = str(rng.randrange(1000))
    text = seed.response and seed.response.replace("</answer>", f"{digits}</answer>")
    return seed.model_copy(update={"sample": own, "response": text})
