"""Recipes: how a sample is asked. They are part of a run's identity. Protocols, for scoring, are something else.

A recipe is MedVision's intensity mapping, its perceived size and the facts its prompts state; 8-bit pictures are
always shown as they are. With ``reshape`` the native picture is resampled before anything else, as upstream can.

Whether pixel sizes can be stated to a model is checked before the first request. Sizes, angles and distances are asked
with pixel sizes in the prompt, and some tools state them too. All of them refer to the picture as the model perceives
it, so a model without a size rule can only be asked what states none: detection, without these tools. Coordinates are
relative (in pixels they need the rule too), and what other tools return in mm does not depend on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.words.question import Form, Wording
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.asking.intensity import min_max, windowed
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Samples
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, Frame
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.perceived import Rule
from medvision_agent.tools.view.slice import FloatImage, IntensityMap, Slice, as_displayed
from medvision_agent.tools.view.views import Perceives

__all__ = ["RECIPES", "Recipe", "recipe_named", "with_size_rule"]


@dataclass(frozen=True, eq=False)
class Recipe:
    """A recipe: how one generation of MedVision maps grey levels, counts perceived sizes and words its prompts."""

    name: str
    mapping: Callable[[FloatImage, Sample], IntensityMap]
    words: Wording
    forms: tuple[Form, ...]
    true_sizes: bool
    """Whether pixel sizes refer to the content as perceived; the first generation had errors: ``Rule.in_paper_v1``."""
    nearest_if_binary: bool
    """Whether ``reshape`` keeps two-valued images two-valued."""
    reshape: Size | None = None

    def slice_of(self, native: NativeImage, sample: Sample) -> Slice:
        """Return the slice from which all views of *sample* are made: values, mapping to grey levels, spacing in mm."""
        values, spacing = native.values, Spacing(sample.pixel_size.height_mm, sample.pixel_size.width_mm)
        stack, reshape = native.stack, self.reshape
        if reshape is not None:
            beside, own = native.stack, spacing
            values, spacing = self._reshaped(values, spacing, reshape)
            if beside is not None:
                stack = replace(beside, values=lambda away: self._reshaped(beside.values(away), own, reshape)[0])
        mapping = as_displayed if native.displayed else self.mapping(values, sample)
        return Slice(values, spacing, mapping, native.units, stack)

    def perceives(self, rule: Rule) -> Perceives:
        """Return *rule*, the size rule of a model, as this recipe applies it."""
        return rule if self.true_sizes else _PaperV1(rule)

    def wording(self, form: str) -> Wording:
        """Return the wording of a prompt form; raises ConfigError if the recipe has no such form."""
        for known in self.forms:
            if form == known:
                return replace(self.words, form=known)
        hint = nearest(form, self.forms)
        raise ConfigError(f"recipe {self.name} has no prompt form {form!r}; it has: {', '.join(self.forms)}.{hint}")

    def _reshaped(self, values: FloatImage, spacing: Spacing, size: Size) -> tuple[FloatImage, Spacing]:
        """Return values resampled to *size*, and their spacing in mm.

        As upstream does, by spline interpolation of order 1, corner pixels on corner pixels.
        """
        from scipy.ndimage import zoom  # noqa: PLC0415 - needed by few runs

        factors = size.height / values.shape[0], size.width / values.shape[1]
        binary = self.nearest_if_binary and len(np.unique(values)) <= 2
        resampled = zoom(values, factors, order=0 if binary else 1).astype(np.float32, copy=False)
        # Upstream divides the header's half-width floats by the factors of the sizes asked for.
        return resampled, Spacing(spacing.height_mm / factors[0], spacing.width_mm / factors[1])


class _PaperV1:
    """A size rule as the first generation of prompts applied it, errors included."""

    def __init__(self, rule: Rule) -> None:
        self.canvas = self.perceived = rule.in_paper_v1


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="medvision-1.2",
            mapping=windowed,
            words=Wording(),
            forms=("direct", "cot"),
            true_sizes=True,
            nearest_if_binary=True,
        ),
        Recipe(
            name="paper-v1",
            mapping=min_max,
            words=Wording(
                tagged=False,
                states_image_size=False,
                size_unit="mm",
                angle_unit="degree",
                area_unit="mm2",
                pixel_unit="mm",
            ),
            forms=("direct",),
            true_sizes=False,
            nearest_if_binary=False,
        ),
    )
}
"""All recipes by name."""


def recipe_named(name: str, reshape: Size | None = None) -> Recipe:
    """Return the recipe *name*, with images resampled to *reshape* if it is given; ConfigError for an unknown name."""
    if name not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}; known: {', '.join(RECIPES)}.{nearest(name, RECIPES)}")
    return replace(RECIPES[name], reshape=reshape)


def with_size_rule(
    name: str, model: ModelConfig, samples: Samples, condition: Condition, wording: Wording
) -> ModelConfig:
    """Return *model* with its size rule as plain numbers, as a run stores it.

    Raises ConfigError if something would state pixels to a model without a rule, or if its rule cannot be read.
    """
    if model.perceived is not None:
        try:
            return model.model_copy(update={"perceived": model.perceived.resolved()})
        except ConfigError as error:
            raise ConfigError(f"model {name!r}: {error}") from None
    frame = FRAMES[model.frame]
    if stating := _stating(samples, condition, wording, frame):
        without = [tool.name for tool in condition.tools if not tool.states_pixels]
        boxes = ",".join(name for name, task in TASKS.items() if task.is_box)
        instead = f"run it on --task {boxes} with --tools {','.join(without) or 'off'}"
        instead += f" and --frame {MEDVISION.name}" if frame.in_pixels else ""
        raise ConfigError(
            f"model {name!r}: its entry has no size rule, and {stating} would state pixel sizes, which depend on the "
            "size at which the model's encoder sees the image. Add the key `perceived` to the entry, with the rule of "
            f"the model's own image processor, such as `perceived: {{rule: processor, checkpoint: FOLDER_OR_HUB_ID}}` "
            f"or `perceived: {{rule: fixed, height: 896, width: 896}}` (all rules: docs/perceived-sizes.md), or "
            f"{instead}"
        )
    return model


def _stating(samples: Samples, condition: Condition, wording: Wording, frame: Frame) -> str:
    """Return a text that names what would state pixel sizes: prompts, coordinates or tools; empty if nothing would."""
    tasks = sorted(samples.summed.tasks)
    asked = [task for task in tasks if not TASKS[task].is_box or "_px" in wording.own.get(TASKS[task].template, "")]
    tools = [tool.name for tool in condition.tools if tool.states_pixels]
    parts = [f"the prompt of {' and '.join(asked)}"] if asked else []
    parts += [f"the coordinate convention {frame.name}"] if frame.in_pixels else []
    parts += [f"the tool{'s' if len(tools) > 1 else ''} {' and '.join(tools)}"] if tools else []
    return " and ".join(parts)
