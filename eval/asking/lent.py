"""The questions of a run in MedVision's own words: the arguments for upstream's functions for each sample.

Contract: all of it is known before the first request, and no image is read. Row, label and landmarks are the sample's;
the sizes are those that the recipe and the model's row give for the whole image, as in prompts of ours. Raises
ConfigError where a setting does not go with upstream's words, or a sample is not MedVision's.
"""

from dataclasses import replace
from typing import Any

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.upstream.words import Asked, Kind, lent
from medvision_agent.agent.words.question import Wording
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.recipe import Recipe
from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.tasks import DETECTION, SIZE
from medvision_agent.tools.view.frames import MEDVISION
from medvision_agent.tools.view.geometry import Size

__all__ = ["check_lent", "with_lent"]

_KINDS: dict[tuple[str, str], Kind] = {
    (DETECTION.name, "direct"): "BoxCoordinate",
    (DETECTION.name, "cot"): "BoxCoordinate_CoT",
    (SIZE.name, "direct"): "TumorLesionSize",
    (SIZE.name, "cot"): "TumorLesionSize_CoT",
}
"""Upstream's functions by task and form; angles and distances share theirs."""


def check_lent(settings: Settings, model: ModelConfig, condition: Condition) -> None:
    """Raise ConfigError where MedVision's own prompts are asked for together with a setting that would change them."""
    if settings.words != "upstream":
        return
    others = {
        "--prompt-file": settings.prompt_file is not None,
        f"--wording {settings.wording}": settings.wording != 0,
        f"--spacing {settings.spacing}": settings.spacing != "prompt",
        f"--display {settings.display}": settings.display != "plain",
        f"--tools {condition.name}": condition.enlarges,
    }
    if given := [name for name, changes in others.items() if changes]:
        changing = " and ".join(given)
        raise ConfigError(
            f"--words upstream sends MedVision's prompts unchanged, and {changing} would change them; leave out "
            f"{changing}, "
            "or --words"
        )
    if model.frame != MEDVISION.name:
        raise ConfigError(
            f"--words upstream: MedVision's prompts ask for coordinates of --frame {MEDVISION.name}, and the frame is "
            f"{model.frame}; give --frame {MEDVISION.name}"
        )


def with_lent(
    wording: Wording, settings: Settings, model: ModelConfig, recipe: Recipe, samples: Samples
) -> tuple[Wording, dict[str, Any]]:
    """Return *wording* with the questions about *samples* in MedVision's own words, and fields of the run's identity.

    Without the setting ``words: upstream``, or without samples, *wording* is unchanged. Raises ConfigError for a sample
    that is not MedVision's, or a recipe whose pixel sizes MedVision's package does not state.
    """
    if settings.words != "upstream" or not len(samples):
        return wording, {"words": settings.words}
    found = lent((_asked(sample, settings.form, model, recipe) for sample in samples), settings.upstream_python)
    fields = {"words": settings.words, "words_origin": dict(found.origin), "words_sha256": found.sha256}
    return replace(wording, lent=found.texts), fields


def _asked(sample: Sample, form: str, model: ModelConfig, recipe: Recipe) -> Asked:
    facts = sample.medvision
    if facts is None:
        raise ConfigError(
            f"--words upstream: sample {sample.id!r} is not MedVision's, and MedVision's prompts exist only for its "
            "own annotations; give --data medvision:DIR, or leave out --words"
        )
    if not recipe.true_sizes and not sample.asks.is_box:
        raise ConfigError(
            "--words upstream: MedVision's package states pixel sizes as --recipe medvision-1.2 does, and --recipe "
            f"{recipe.name} states others; give --recipe medvision-1.2, or only --task {DETECTION.name}, which states "
            "none"
        )
    shape = recipe.reshape or Size(*facts.image_size_2d)
    sees = recipe.perceives(model.sees)
    canvas, content = sees.canvas(shape), sees.perceived(shape)
    return Asked(
        sample=sample.id,
        kind=_kind(sample, form),
        row=facts.record(),
        task=_task(sample, facts),
        shape_hw=(shape.height, shape.width),
        native_hw=facts.image_size_2d,
        spacing_hw=(sample.pixel_size.height_mm, sample.pixel_size.width_mm),
        canvas_hw=(canvas.height, canvas.width),
        content_hw=(content.height, content.width),
    )


def _kind(sample: Sample, form: str) -> Kind:
    landmarks: Kind = "BiometricsFromLandmarks_CoT" if form == "cot" else "BiometricsFromLandmarks"
    return _KINDS.get((sample.task, form), landmarks)


def _task(sample: Sample, facts: MedVisionFacts) -> dict[str, object]:
    """Return the entry of a plan that names the structure or the landmarks of a sample, under the keys of its row."""
    found: dict[str, object] = {"image_description": sample.description}
    if not sample.landmarks or facts.metric is None:
        return found | {"labels_map": {str(facts.label): sample.label}}
    points = {f"P{number}": name for number, name in enumerate(sample.landmarks, start=1)}
    keys = list(points)
    if len(keys) == 2:
        lines = {facts.metric.keys[0]: _line(sample.measurement, keys)}
        return found | {facts.metric.metric_map_name: lines, "landmarks_map": points}
    lines = {"L-1": _line("", keys[:2]), "L-2": _line("", keys[2:])}
    angle = {"name": sample.measurement, "element_keys": list(lines), "element_map_name": "lines_map"}
    angles = {facts.metric.metric_map_name: {facts.metric.keys[0]: angle}}
    return found | angles | {"lines_map": lines, "landmarks_map": points}


def _line(name: str, ends: list[str]) -> dict[str, object]:
    return {"name": name, "element_keys": ends, "element_map_name": "landmarks_map"}
