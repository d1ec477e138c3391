"""Files read and scored by as many processes as there are cores.

Contract: the figures, notes and order are those of one process. A process that ends before its work is done is a
DataError. What comes back is what a summary needs; the responses stay where they were read.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.read import AnswerReader, Remarks
from medvision_agent.eval.results.record import Scored
from medvision_agent.eval.scorer.batch import Batch, score_blocks
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["FilePart", "process_count", "read_parts"]

_LEAST = 20_000_000
"""Bytes below which one process is quicker than the start of several."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """What a summary needs of a file."""

    remarks: Remarks
    batches: list[Batch]
    ids: NDArray[np.int64]
    """Hashes, each once: equal in all processes that come from one, and enough to see that no id is there twice."""


def process_count(files: Sequence[Path]) -> int:
    """Return how many processes are worth their start, and safe: a process with threads must not be forked."""
    if os.name != "posix" or len(files) == 1 or threading.active_count() > 1:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    large = sum(file.stat().st_size for file in files if file.is_file()) >= _LEAST
    return min(cores, len(files)) if large else 1


def read_parts(files: Sequence[Path], plans: Plans | None, protocol: Protocol, processes: int) -> list[FilePart] | None:
    """Return a part for each of *files*; None where an id may be there twice, which only one process can tell."""
    work = partial(_read_part, plans, protocol)
    sizes = {file: file.stat().st_size for file in files}
    context = multiprocessing.get_context("fork")
    # Who interrupts the command ends them too, without a word.
    quiet_end = (signal.SIGINT, signal.SIG_DFL)
    pool = ProcessPoolExecutor(processes, context, initializer=signal.signal, initargs=quiet_end)
    try:
        # The largest first, so that none of them is begun when all others are done.
        waiting = {file: pool.submit(work, file) for file in sorted(files, key=sizes.__getitem__, reverse=True)}
        parts = [waiting[file].result() for file in files]
    except BrokenProcessPool:
        raise DataError("a process that read the files was ended from outside; is there too little memory?") from None
    finally:
        pool.shutdown(cancel_futures=True)
    ids = np.concatenate([part.ids for part in parts])
    return parts if len(np.unique(ids)) == sum(part.remarks.count for part in parts) else None


def _read_part(plans: Plans | None, protocol: Protocol, path: Path) -> FilePart:
    reader = AnswerReader(plans, Scored)
    batches = score_blocks(reader.blocks(path), protocol)
    return FilePart(reader.remarks, batches, np.fromiter(map(hash, reader.ids), np.int64, len(reader.ids)))
