"""One model of MedVision's package (``medvision-bm``), asked as its own evaluator asks: one text and one image.

Contract: nothing of upstream is copied, or imported before a model is opened. The class comes from ``lmms_eval``, which
is part of that package and installed by its installer. Requests run one after the other. Exceptions of the class pass
through.

The interface was read in medvision-bm 1.2.1: a class is made from keyword arguments; ``generate_until`` takes instances
with the arguments (text, settings, function from a row to its images, row, task, split) and returns the texts; rows are
looked up in ``task_dict``.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from itertools import count
from threading import Lock
from typing import Any

from medvision_agent.errors import ConfigError, nearest

__all__ = ["CHECKPOINTS", "UpstreamModel", "open_upstream", "upstream_names"]

CHECKPOINTS = {
    "llava_med": "microsoft/llava-med-v1.5-mistral-7b",
    "healthgpt": "lintw/HealthGPT-L14",
    "meddr": "Sunanhe/MedDr_0401",
    "huatuogpt_vision": "FreedomIntelligence/HuatuoGPT-Vision-34B",
}
"""Model ids of the catalogue's rows by upstream's key, to refuse requests for another model."""
_PACKAGE = "lmms_eval"
_TASK, _SPLIT = "medvision-agent", "asked"
_MISSING = (
    "is not installed in this environment: serve-upstream runs where medvision-bm and the model's own packages are "
    "installed, as MedVision's documentation says (python -m medvision_bm.benchmark.install_vendored_lmms_eval)"
)


class UpstreamModel:
    """A loaded model of MedVision's package, which answers one question at a time."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model, self._numbers, self._lock = model, count(), Lock()

    @property
    def version(self) -> str:
        """The model's key, and the version of medvision-bm if known."""
        try:
            return f"{self.name} (medvision-bm {version('medvision-bm')})"
        except PackageNotFoundError:
            return self.name

    def answer(self, text: str, png: bytes, settings: Mapping[str, Any]) -> str:
        """Return the model's answer to a text about one image, a PNG or JPEG file; *settings* are upstream's."""
        from PIL import Image  # noqa: PLC0415 - it is upstream's environment that has it

        instance = import_module(f"{_PACKAGE}.api.instance").Instance
        image = Image.open(BytesIO(png)).convert("RGB")
        with self._lock:
            number = next(self._numbers)
            rows = self._model.task_dict.setdefault(_TASK, {}).setdefault(_SPLIT, {})
            rows[number] = image
            try:
                arguments = (text, dict(settings), lambda row: [row], number, _TASK, _SPLIT)
                known = {"task": _TASK, "doc_id": number, "repeats": 1}
                (said,) = self._model.generate_until(
                    [instance(request_type="generate_until", arguments=arguments, idx=0, metadata=known)]
                )
            finally:
                del rows[number]
        return str(said)


def upstream_names() -> list[str]:
    """Return the keys of upstream's models; raises ConfigError if upstream's package is not installed."""
    try:
        return list(import_module(f"{_PACKAGE}.models").AVAILABLE_MODELS)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name or _PACKAGE} {_MISSING}") from None


def open_upstream(name: str, settings: Mapping[str, Any]) -> UpstreamModel:
    """Return the loaded model that upstream calls *name*; *settings* are the keyword arguments of its class.

    Raises ConfigError for an unknown name, for a package that is not installed, and where upstream's code fails.
    """
    names = upstream_names()
    if name not in names:
        raise ConfigError(
            f"MedVision's package has no model {name!r}; it has {', '.join(names)}.{nearest(name, names)}"
        )
    try:
        made = import_module(f"{_PACKAGE}.models").get_model(name)(**settings)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{name}: {error.name} {_MISSING}") from None
    except Exception as error:  # whatever upstream's code raises: of a keyword, a folder or a device
        given = ", ".join(settings) or "none"
        raise ConfigError(
            f"{name}: MedVision's package cannot load this model (arguments given by --arg: {given}): "
            f"{type(error).__name__}: {error}"
        ) from error
    return UpstreamModel(name, made)
