"""Load the model of a row: download from the hub or read a folder, check, and move the weights to the device.

Contract: every failure is a one-line error: a ConfigError if the row is to blame, a ProviderError if the hub
or the machine is. Code in a checkpoint is never run, and weights are read from safetensors files only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import torch
import transformers
from huggingface_hub import errors as hub_errors
from huggingface_hub import snapshot_download
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
from transformers.utils import is_torchvision_available

from medvision_agent.agent.models import Transformers
from medvision_agent.agent.models.checkpoint import fingerprint, local_folder, parameter_bytes
from medvision_agent.errors import ConfigError, ProviderError

__all__ = ["Loaded", "free_memory", "is_out_of_memory", "load", "load_processor", "without_warnings"]

_WEIGHTS = "*.safetensors"
_FILES = ["*.json", "*.jinja", "*.model", "*.txt", _WEIGHTS]
_WIDTH = {"auto": None, "float32": 4, "bfloat16": 2, "float16": 2}
_GIB = 2**30
_TORCHVISION = (
    "The installed torchvision does not fit the installed torch. Uninstall it (images do not need it), or install "
    "both from one source."
)
_NO_VIDEOS = SimpleNamespace(num_frames=1, fps=1)
"""Replaces the video processor: SmolVLM reads these two settings for every prompt, with or without a video."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in memory with its processor."""

    model: Any
    processor: Any
    version: str
    """The exact checkpoint: the hub's commit, or the fingerprint of a folder."""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Within the block, transformers prints errors only; its former verbosity is restored afterwards."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)


def load(config: Transformers) -> Loaded:
    """Return the model of *config*, ready to generate.

    Raises ConfigError if the row or the checkpoint is to blame, and ProviderError if the hub or the memory is.
    """
    folder = local_folder(config.model)
    if folder is None:
        folder = _fetched(config)
        version = f"{config.model}@{folder.name[:12]}"
    else:
        version = f"{folder.resolve().name}@sha256:{fingerprint(folder)[:12]}"
    if not any(folder.glob("*.safetensors")):
        raise ConfigError(
            f"model {config.model}: its folder has no *.safetensors files, and other formats of weights are not read. "
            "Save its weights in that format, or choose another model."
        )
    device = _device(config)
    _check_memory(config, folder, device)
    try:
        with _without_bars():
            processor, model, problems = _read(config, folder)
        model = model.to(device)
    except Exception as error:  # noqa: BLE001 - a dozen libraries read a checkpoint, each with errors of its own
        if is_out_of_memory(error):
            raise _too_little(config, str(error)) from None
        advice = f" {_TORCHVISION}" if "torchvision::" in str(error) else ""
        raise ConfigError(f"model {config.model}: cannot be loaded: {_line(error)}{advice}") from None
    # The library fills in what a checkpoint lacks with random numbers.
    if lacking := sorted(map(str, {*problems["missing_keys"], *problems["mismatched_keys"]})):
        raise ConfigError(
            f"model {config.model}: its weights lack {len(lacking)} tensors, {lacking[0]} for instance. Download it "
            "again, or choose a complete checkpoint."
        )
    if getattr(processor, "tokenizer", None) is None or getattr(processor, "image_processor", None) is None:
        raise ConfigError(
            f"model {config.model}: its checkpoint lacks a tokenizer or an image processor, so that it cannot take "
            "images. Choose a vision-language model."
        )
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(model.eval(), processor, version)


def load_processor(config: Transformers) -> Any:
    """Return only the processor of *config*, without downloading weights.

    Raises ConfigError if the row or the checkpoint is to blame, and ProviderError if the hub is.
    """
    folder = local_folder(config.model) or _fetched(config, [name for name in _FILES if name != _WEIGHTS])
    try:
        with _without_bars():
            return _processor(folder)
    except Exception as error:  # noqa: BLE001 - a dozen libraries read a checkpoint, each with errors of its own
        raise ConfigError(f"model {config.model}: cannot be loaded: {_line(error)}") from None


@contextmanager
def _without_bars() -> Iterator[None]:
    """Within the block, hide the progress bars of transformers, and thereby the hub's; both are restored afterwards."""
    shown, none_of_the_hub = transformers.logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers.logging.enable_progress_bar()
        if none_of_the_hub:
            disable_progress_bars()


def _read(config: Transformers, folder: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Return the processor, the model and the report of missing weights; exceptions of the libraries pass through."""
    processor = _processor(folder)
    model, problems = transformers.AutoModelForImageTextToText.from_pretrained(
        folder,
        dtype=config.dtype if config.dtype == "auto" else getattr(torch, config.dtype),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
    )
    return processor, model, problems


def _processor(folder: Path) -> Any:
    """Return the processor; without torchvision, one without its video part, which is not needed here.

    Processors of many model families have a video part, which cannot be created without torchvision.
    """
    local = {"local_files_only": True, "trust_remote_code": False}
    if not is_torchvision_available():
        kind = PROCESSOR_MAPPING.get(type(transformers.AutoConfig.from_pretrained(folder, **local)), None)
        if kind is not None and "video_processor" in kind.get_attributes():
            parts = [part for part in kind.get_attributes() if part != "video_processor"]
            members = {"get_attributes": classmethod(lambda _: parts), "video_processor": _NO_VIDEOS}
            stills: Any = type(kind.__name__, (kind,), members)
            return stills.from_pretrained(folder, video_processor=None, **local)
    return transformers.AutoProcessor.from_pretrained(folder, **local)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether *error* means too little memory; some allocators raise a plain RuntimeError."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)
    )


def _fetched(config: Transformers, files: Sequence[str] = _FILES) -> Path:
    """Return the local folder of a hub model; *files* that are not in the cache are downloaded.

    Raises ConfigError for an invalid id of a model, and ProviderError if the hub does not give the files.
    """
    name = f"{config.model}{f' at {config.revision}' if config.revision else ''}"
    try:
        folder = snapshot_download(
            config.model, revision=config.revision, allow_patterns=list(files), ignore_patterns=["*/*"]
        )
    except hub_errors.GatedRepoError:
        raise ProviderError(
            f"model {name}: the Hugging Face hub gives access only after a login. Accept the model's terms at "
            f"https://huggingface.co/{config.model}, then log in with `hf auth login` or set HF_TOKEN."
        ) from None
    except hub_errors.RevisionNotFoundError:
        raise ProviderError(
            f"model {name}: the Hugging Face hub has no such revision. Correct `revision` in its row, or leave it out."
        ) from None
    except hub_errors.RepositoryNotFoundError:
        raise ProviderError(
            f"model {config.model}: this is neither an existing folder nor a model of the Hugging Face hub. Correct "
            "`model` in its row; if the model needs a login, run `hf auth login`."
        ) from None
    except hub_errors.LocalEntryNotFoundError:
        raise ProviderError(
            f"model {name}: it is not in the local cache, and the Hugging Face hub cannot be reached. Connect to the "
            "network, or give a local folder as `model` in its row."
        ) from None
    except hub_errors.HFValidationError:
        raise ConfigError(
            f"model {config.model}: this is neither an existing folder nor an id of the Hugging Face hub (OWNER/NAME). "
            "Correct `model` in its row."
        ) from None
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        raise ProviderError(
            f"model {name}: it cannot be downloaded from the Hugging Face hub ({_line(error)}). Repeat the command, or "
            "give a local folder as `model` in its row."
        ) from None
    return Path(folder)


def _device(config: Transformers) -> str:
    if config.device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(
            f"model {config.model}: device {config.device}: torch finds no CUDA device on this machine. Set `device: "
            "auto` or `cpu` in its row."
        )
    if config.device == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(
            f"model {config.model}: the device mps is not available on this machine. Set `device: auto` or `cpu` in "
            "its row."
        )
    return config.device


def _check_memory(config: Transformers, folder: Path, device: str) -> None:
    """Raise ProviderError for weights that do not fit in memory, before the machine swaps or the process is killed."""
    needed, free = parameter_bytes(folder, _WIDTH[config.dtype]), free_memory(device)
    if free is not None and needed > free:
        raise _too_little(config, f"its weights take {needed / _GIB:.3g} GiB, {free / _GIB:.3g} GiB are free")


def free_memory(device: str) -> int | None:
    """Return the free bytes on *device*; None on a system that does not report them (only Linux does, beside CUDA)."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else None


def _too_little(config: Transformers, why: str) -> ProviderError:
    return ProviderError(
        f"model {config.model}: too little memory: {' '.join(why.split())[:300]}; "
        "a smaller dtype (bfloat16), another device or a smaller model may fit."
    )


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
