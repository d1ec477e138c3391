"""The rule of a model's own image processor, read from its files with the transformers library (extra ``local``).

Only settings are read, no weights, and no code that lies beside them is run. Processors whose arithmetic is not known
here are refused: a guess would corrupt every millimetre.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from pydantic import Field

from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.perceived.canvases import AnyResolution, Grid, LlamaTiles, Splits
from medvision_agent.tools.view.perceived.patches import Multiples, Patches
from medvision_agent.tools.view.perceived.rule import Cropped, Fixed, Rule

__all__ = ["Processor"]


class Processor(Rule):
    """The rule of a checkpoint's image processor, read once when it is first needed."""

    rule: Literal["processor"] = "processor"
    checkpoint: str = Field(min_length=1)
    """A folder with a preprocessor_config.json, or a model's id on the Hugging Face hub."""

    def resolved(self) -> Rule:
        """Return the rule as plain numbers.

        Raises ConfigError without the extra, without the checkpoint, or for a processor that is not known here.
        """
        return _read(self.checkpoint)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which the content of a picture of size *sent* is perceived."""
        return self.resolved().perceived(sent)

    def canvas(self, sent: Size) -> Size:
        """Return the size of all the encoder sees for a picture of size *sent*, padding included."""
        return self.resolved().canvas(sent)

    def in_paper_v1(self, sent: Size) -> Size:
        """Return the size to which MedVision's first generation scaled pixel sizes, for a picture of size *sent*."""
        return self.resolved().in_paper_v1(sent)


def _smart_resize(processor: Any) -> Rule:
    step = processor.patch_size * processor.merge_size
    return Multiples(multiple=step, least=processor.size["shortest_edge"], most=processor.size["longest_edge"])


def _smart_resize_of_frames(processor: Any) -> Rule:
    """Return GLM-4V's rule: a picture counts as several frames, which share the configured range of pixels."""
    step, frames = processor.patch_size * processor.merge_size, processor.temporal_patch_size
    least, most = -(-processor.size["shortest_edge"] // frames), processor.size["longest_edge"] // frames
    return Multiples(multiple=step, least=least, most=most, enlarge=True)


def _stretched(processor: Any) -> Rule:
    if getattr(processor, "do_pan_and_scan", None):
        raise ValueError("it also sends parts of the picture (do_pan_and_scan)")
    return Fixed(height=processor.size["height"], width=processor.size["width"])


def _soft_tokens(processor: Any) -> Rule:
    block = processor.patch_size * processor.pooling_kernel_size
    return Patches(patch=block, pixels=processor.max_soft_tokens * block**2, grow=True)


def _llama_tiles(processor: Any) -> Rule:
    return LlamaTiles(tile=processor.size["height"], most_tiles=processor.max_image_tiles)


def _any_resolution(processor: Any) -> Rule:
    tile = processor.size["height"]
    rooms = {(height, width) for height, width in processor.image_grid_pinpoints}
    rows, columns = (max(sides) // tile for sides in zip(*rooms, strict=True))
    if rooms != {(row * tile, column * tile) for row in range(1, rows + 1) for column in range(1, columns + 1)}:
        raise ValueError("its image_grid_pinpoints are not all arrangements of its tile")
    return AnyResolution(tile=tile, rows=rows, columns=columns)


def _tiles(processor: Any) -> Rule:
    """Return the rule of InternVL and GOT-OCR 2: InternVL cuts every picture into tiles, whatever these settings say.

    Raises ValueError for tiles that are not square.
    """
    tile = processor.size["height"]
    if tile != processor.size["width"]:
        raise ValueError("its tile is not square")
    cut = processor.crop_to_patches or getattr(processor, "_processor_class", None) == "InternVLProcessor"
    if not cut or processor.max_patches == 1:
        return Fixed(height=tile, width=tile)
    return Grid(tile=tile, least_tiles=processor.min_patches, most_tiles=processor.max_patches, thumbnail=False)


def _cropped(processor: Any) -> Rule:
    if not processor.do_center_crop:
        return _stretched(processor)
    side, crop = processor.size["shortest_edge"], processor.crop_size
    if not side == crop["height"] == crop["width"]:
        raise ValueError("its image processor crops every image (crop_size)")
    return Cropped(side=side)


def _splits(processor: Any) -> Rule:
    tile = processor.max_image_size["longest_edge"]
    if not processor.do_image_splitting:
        return Fixed(height=tile, width=tile)
    return Splits(longest=processor.size["longest_edge"], tile=tile)


_KNOWN: dict[str, Callable[[Any], Rule]] = {
    "CLIPImageProcessor": _cropped,
    "Gemma3ImageProcessor": _stretched,
    "Gemma4ImageProcessor": _soft_tokens,
    "Glm46VImageProcessor": _smart_resize_of_frames,
    "Glm4vImageProcessor": _smart_resize_of_frames,
    "GotOcr2ImageProcessor": _tiles,
    "Idefics3ImageProcessor": _splits,
    "LlavaOnevisionImageProcessor": _any_resolution,
    "MiniMaxM3VLImageProcessor": _smart_resize,
    "MllamaImageProcessor": _llama_tiles,
    "Qwen2VLImageProcessor": _smart_resize,
    "SiglipImageProcessor": _stretched,
    "SmolVLMImageProcessor": _splits,
}
"""Processors of the transformers library, each with the rule that its settings amount to."""


@cache
def _read(checkpoint: str) -> Rule:
    """Return the rule of a checkpoint's image processor.

    Raises ConfigError without the transformers library, without the checkpoint, and for settings that fit no known
    rule.
    """
    try:
        from transformers import AutoImageProcessor  # noqa: PLC0415 - an optional extra, and slow to import
    except ImportError:
        raise ConfigError(
            f"perceived: the rule 'processor' reads the image processor of {checkpoint!r} with the transformers "
            "library, which is not installed; install medvision-agent[local], or state the rule as numbers "
            "(docs/perceived-sizes.md)"
        ) from None
    try:
        processor: Any = AutoImageProcessor.from_pretrained(checkpoint, backend="pil", trust_remote_code=False)
    except Exception as error:
        # The library raises the errors of its parts: a missing folder, no connection, an unknown class, a broken file.
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"perceived: checkpoint {checkpoint!r}: its image processor cannot be read ({reason}); give a folder with "
            "a preprocessor_config.json, or the id of a model on the Hugging Face hub"
        ) from error
    name = type(processor).__name__.removesuffix("Pil").removesuffix("Fast")
    if name not in _KNOWN:
        raise ConfigError(
            f"perceived: checkpoint {checkpoint!r}: its image processor is {name}, for which no size rule is known; "
            f"known are {', '.join(_KNOWN)}; state the rule as numbers (docs/perceived-sizes.md)"
        )
    try:
        if not processor.do_resize:
            raise ValueError("it does not resize (do_resize)")
        return _KNOWN[name](processor)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join((f"it has no {error}" if isinstance(error, KeyError) else str(error)).split())[:300]
        raise ConfigError(
            f"perceived: checkpoint {checkpoint!r}: the settings of its image processor {name} fit no known size rule: "
            f"{reason}; state the rule as numbers (docs/perceived-sizes.md)"
        ) from error
