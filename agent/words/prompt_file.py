"""A researcher's own templates: a YAML file of texts by name, tested before the first request.

    size: |
      How long is the {{ label }} in the picture? One pixel is {{ width_mm_per_px }} mm wide ...
      Reply as <answer>major, minor</answer>.

Names: the tasks, ``system`` (variable ``convention``), ``tools`` (variable ``names``), ``tools_text``, which is
for models that call tools in text (variables ``names`` and ``declarations``, one JSON text for each tool), and
``tools_code`` (the provider runs code). What is not given is taken from the shipped templates. The variables of a task
are those of ``prompts/*.j2`` and ``prompts/areas``; all templates know ``frame``, the coordinate convention
(``tools/view/frames.py``), and are tested in each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from medvision_agent.agent.words.question import Wording
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.settings_text import read_yaml
from medvision_agent.tools.view.frames import FRAMES

__all__ = ["with_prompt_file"]

_TRIAL: dict[str, Any] = {
    "description": "a picture",
    "label": "a structure",
    "landmarks": ("a", "b", "c", "d"),
    "measurement": "",
    "width_px": 1,
    "height_px": 1,
    "width_mm_per_px": "1.000",
    "height_mm_per_px": "1.000",
}
_BESIDES: dict[str, dict[str, Any]] = {
    "system": {"convention": "x and y"},
    "tools": {"names": ("ruler",)},
    "tools_text": {"names": ("ruler",), "declarations": ("{}",)},
    "tools_code": {"names": ()},
}


def with_prompt_file(wording: Wording, path: Path, questions: Iterable[str]) -> tuple[Wording, str]:
    """Return *wording* with the templates of the file *path*, and the SHA-256 of the file.

    *questions* are the names of the tasks' templates. Raises ConfigError, which names the key, for an unreadable file,
    an unknown name and an unusable template.
    """
    try:
        content = path.read_bytes()
        texts = read_yaml(content.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}: this is no readable YAML file of prompts: {' '.join(str(error).split())}; expected texts by name "
            f"({', '.join([*questions, *_BESIDES])})"
        ) from None
    trials = dict.fromkeys(questions, _TRIAL) | _BESIDES
    if not isinstance(texts, dict) or not texts:
        raise ConfigError(f"{path}: expected texts by name ({', '.join(trials)})")
    for name, text in texts.items():
        if name not in trials:
            raise ConfigError(
                f"{path}: key {name!r}: no prompt has this name; known names: {', '.join(trials)}."
                f"{nearest(str(name), trials)}"
            )
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"{path}: key {name}: expected a text that is not empty")
    worded = replace(wording, own=texts)
    _try_out(worded, {name: trials[name] for name in texts}, path)
    return worded, sha256(content).hexdigest()


def _try_out(wording: Wording, trials: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    for name, frame in product(trials, FRAMES.values()):
        try:
            wording.render(name, **trials[name], frame=frame)
        except (TemplateError, ArithmeticError, TypeError, ValueError, IndexError) as error:
            known = ", ".join([*trials[name], "frame"])
            raise ConfigError(
                f"{path}: key {name}: the text is no usable Jinja template: {error}; its variables can be {known}, and "
                "those of the recipe's wording (docs/prompts.md)"
            ) from None
