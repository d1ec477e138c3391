"""Tiny checkpoints of the eight architectures that the shipped rows name: real classes, random weights, no download.

Their chat templates do what those of the published checkpoints do: only Qwen3-VL's declares tools.
"""

from pathlib import Path
from typing import Any

from fake.tiny import _VISION, GEMMA_TEMPLATE, RESPONSE_TEMPLATE, TOOLS_TEMPLATE, _text, _tokenizer
from fake.tiny import _saved as saved
from fake.tiny import gemma3 as gemma3_checkpoint
from fake.tiny import llava as llava_checkpoint

_QWEN_SPECIAL = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>", "<turn>"]
_CHATML = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}\
{% if part.type == 'image' %}IMAGE{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<end>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""Written like Qwen2.5-VL's: it takes every role, and drops declarations of tools without a word."""


def stills(processor_class: Any) -> Any:
    """Return a processor class without its part for videos, which needs torchvision."""
    parts = [part for part in processor_class.get_attributes() if part != "video_processor"]
    return type(processor_class.__name__, (processor_class,), {"get_attributes": classmethod(lambda _: parts)})


def qwen2_5_vl(folder: Path) -> Path:
    """Save a Qwen2.5-VL model to *folder*."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

    vision = {"depth": 1, "fullatt_block_indexes": [0], "window_size": 28, "intermediate_size": 32}
    return _qwen(
        folder, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLConfig, Qwen2_5_VLProcessor, patch=14, vision=vision
    )


def qwen3_vl(folder: Path) -> Path:
    """Save a Qwen3-VL model to *folder*; its template declares tools."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor

    vision = {"depth": 1, "intermediate_size": 32, "deepstack_visual_indexes": [0], "num_position_embeddings": 16}
    return _qwen(
        folder,
        Qwen3VLForConditionalGeneration,
        Qwen3VLConfig,
        Qwen3VLProcessor,
        patch=16,
        vision=vision,
        template=TOOLS_TEMPLATE.replace("{{ IMAGE }}", "<|vision_start|><|image_pad|><|vision_end|>"),
        response_template=RESPONSE_TEMPLATE,
    )


def _qwen(
    folder: Path,
    architecture: Any,
    config: Any,
    processor: Any,
    *,
    patch: int,
    vision: dict[str, Any],
    template: str = _CHATML.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    response_template: Any = None,
) -> Path:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    tokenizer = _tokenizer(["<pad>", "<end>", "<bos>", *_QWEN_SPECIAL], {}, False)
    if response_template is not None:
        tokenizer.response_template = response_template
    images = Qwen2VLImageProcessorPil(patch_size=patch, size={"shortest_edge": 1024, "longest_edge": 8192})
    ids = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{name}_pad|>" if "_" not in name else f"<|{name}|>")
        for name in ("vision_start", "vision_end", "image", "video")
    }
    parts = config(
        text_config={
            **_text(len(tokenizer)),
            "head_dim": 8,
            "bos_token_id": 2,
            "eos_token_id": 1,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]},
        },
        vision_config={"hidden_size": 16, "num_heads": 2, "out_hidden_size": 32, "patch_size": patch, **vision},
        **ids,
    )
    return saved(
        folder,
        architecture,
        parts,
        stills(processor)(image_processor=images, tokenizer=tokenizer, chat_template=template),
    )


def internvl3(folder: Path) -> Path:
    """Save an InternVL3 model to *folder*."""
    from transformers import InternVLConfig, InternVLForConditionalGeneration, InternVLProcessor
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    named = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    named |= {"video_token": "<video>"}
    tokenizer = _tokenizer(["<pad>", "<end>", "<bos>", "<turn>"], named, False)
    processor = stills(InternVLProcessor)(
        image_processor=GotOcr2ImageProcessorPil(size={"height": 28, "width": 28}, max_patches=4),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=_CHATML.replace("IMAGE", "<IMG_CONTEXT>"),
    )
    config = InternVLConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
        text_config={"model_type": "qwen2", **_text(len(tokenizer)), "bos_token_id": 2, "eos_token_id": 1},
        vision_config={**_VISION, "image_size": [28, 28], "patch_size": [7, 7]},
    )
    return saved(folder, InternVLForConditionalGeneration, config, processor)


def gemma3(folder: Path) -> Path:
    """Save a Gemma 3 model to *folder*."""
    return gemma3_checkpoint(folder, template=GEMMA_TEMPLATE, response_template=None)


def mllama(folder: Path) -> Path:
    """Save a Llama 3.2 Vision model to *folder*."""
    from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaProcessor
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil

    tokenizer = _tokenizer(["<pad>", "<end>", "<bos>", "<|python_tag|>", "<|image|>"], {}, False)
    processor = MllamaProcessor(
        image_processor=MllamaImageProcessorPil(size={"height": 28, "width": 28}, max_image_tiles=4),
        tokenizer=tokenizer,
        chat_template=_CHATML.replace("IMAGE", "<|image|>"),
    )
    size = len(tokenizer)
    config = MllamaConfig(
        image_token_index=size - 1,
        text_config={
            **_text(size),
            "cross_attention_layers": [1],
            "bos_token_id": 2,
            "eos_token_id": 1,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_global_layers": 1,
            "attention_heads": 2,
            "image_size": 28,
            "patch_size": 7,
            "intermediate_layers_indices": [0],
            "vision_output_dim": 32,
            "max_num_tiles": 4,
            "supported_aspect_ratios": [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]],
        },
    )
    return saved(folder, MllamaForConditionalGeneration, config, processor)


def llava_onevision(folder: Path) -> Path:
    """Save a LLaVA-OneVision model to *folder*."""
    from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, LlavaOnevisionProcessor
    from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

    pinpoints = [[28 * row, 28 * column] for row in (1, 2) for column in (1, 2)]
    tokenizer = _tokenizer(["<pad>", "<end>", "<bos>", "<image>", "<video>"], {}, False)
    processor = stills(LlavaOnevisionProcessor)(
        image_processor=LlavaOnevisionImageProcessorPil(
            size={"height": 28, "width": 28}, image_grid_pinpoints=pinpoints
        ),
        tokenizer=tokenizer,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=_CHATML.replace("IMAGE", "<image>"),
    )
    config = LlavaOnevisionConfig(
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=pinpoints,
        vision_feature_layer=-1,
        text_config={"model_type": "qwen2", **_text(len(tokenizer)), "bos_token_id": 2, "eos_token_id": 1},
        vision_config={"model_type": "siglip_vision_model", **_VISION, "vision_use_head": False},
    )
    return saved(folder, LlavaOnevisionForConditionalGeneration, config, processor)


def llava_mistral(folder: Path) -> Path:
    """Save a LLaVA model with Mistral's language model to *folder*."""
    return llava_checkpoint(folder, language="mistral", crops=False)


def smolvlm(folder: Path) -> Path:
    """Save a SmolVLM model to *folder*."""
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration, SmolVLMProcessor
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    special = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>"]
    special += [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    tokenizer = _tokenizer(["<pad>", "<end>", "<bos>", *special], {}, False)
    processor = stills(SmolVLMProcessor)(
        image_processor=SmolVLMImageProcessorPil(size={"longest_edge": 56}, max_image_size={"longest_edge": 28}),
        tokenizer=tokenizer,
        video_processor=None,
        image_seq_len=4,
        chat_template=_CHATML.replace("IMAGE", "<image>"),
    )
    config = SmolVLMConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
        tie_word_embeddings=False,
        text_config={"model_type": "llama", **_text(len(tokenizer)), "bos_token_id": 2, "eos_token_id": 1},
        vision_config=_VISION,
    )
    return saved(folder, SmolVLMForConditionalGeneration, config, processor)


FAMILIES = {
    maker.__name__: maker
    for maker in (qwen2_5_vl, qwen3_vl, internvl3, gemma3, mllama, llava_onevision, llava_mistral, smolvlm)
}
"""What makes a checkpoint of each architecture, by name."""
