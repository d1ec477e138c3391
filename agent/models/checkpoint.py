"""Fingerprint and size of a folder of model weights, without loading it.

Contract: nothing here needs torch. The fingerprint covers every byte of the small files that decide what a model does
(settings, chat template, tokenizer, processor) and, of the weights, the names, types and shapes of all tensors and a
sample from the middle of each. Training changes nearly every value of a tensor, so two sets of weights differ in it; it
cannot detect someone who edits single values, and reading it takes no more than a second.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from medvision_agent.errors import ConfigError

__all__ = ["fingerprint", "local_folder", "parameter_bytes"]

_SMALL = (".json", ".jinja", ".model", ".txt")
_WEIGHTS = ".safetensors"
_SAMPLE = 1024
"""Bytes read from the middle of each tensor."""
_WIDTH = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})


def local_folder(model: str) -> Path | None:
    """Return the folder that *model* names; None for an id of the Hugging Face hub.

    Raises ConfigError for a path where there is no folder.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.startswith(("/", ".", "~")) or model.count("/") > 1:
        raise ConfigError(
            f"model {model}: there is no folder of this name, and it is no id of the Hugging Face hub (OWNER/NAME); "
            "correct `model` in its row."
        )
    return None


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of the content of the checkpoint in *folder*, independent of its path and name.

    Raises ConfigError for a file of weights that is no valid safetensors file.
    """
    digest = sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        if path.suffix in _SMALL:
            parts: Iterator[bytes] = iter([path.read_bytes()])
        elif path.suffix == _WEIGHTS:
            parts = _samples(path)
        else:
            continue
        inner = sha256()
        for part in parts:
            inner.update(part)
        digest.update(f"{path.name}\0{inner.hexdigest()}\n".encode())
    return digest.hexdigest()


def parameter_bytes(folder: Path, width: int | None) -> int:
    """Return the bytes that the weights in *folder* take in memory.

    *width* is the size in bytes of one floating-point value in memory; None: as stored. Raises ConfigError for a file
    of weights that is no valid safetensors file.
    """
    total = 0
    for path in folder.glob(f"*{_WEIGHTS}"):
        with path.open("rb") as file:
            for tensor in _tensors(file, path):
                own = _WIDTH.get(tensor.dtype, 1)
                total += prod(tensor.shape) * (width if width and tensor.dtype in _FLOATS else own)
    return total


@dataclass(frozen=True, slots=True)
class _Tensor:
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def _samples(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        tensors = _tensors(file, path)
        file.seek(0)
        yield file.read(min((tensor.start for tensor in tensors), default=-1))
        for tensor in tensors:
            file.seek(max(tensor.start, (tensor.start + tensor.end - _SAMPLE) // 2))
            yield file.read(min(_SAMPLE, tensor.end - tensor.start))


def _tensors(file: BinaryIO, path: Path) -> list[_Tensor]:
    """Return the tensors in a safetensors file, with positions in bytes; raises ConfigError for any other file."""
    try:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
        return [
            _Tensor(entry["dtype"], tuple(entry["shape"]), *(8 + length + place for place in entry["data_offsets"]))
            for name, entry in header.items()
            if name != "__metadata__"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ConfigError(
            f"{path}: this is not a valid safetensors file of weights ({type(error).__name__}); download or save the "
            "checkpoint again."
        ) from None
