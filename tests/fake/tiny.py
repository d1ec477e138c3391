"""Tiny checkpoints of real architectures, made here: real processors and tokenizers, random weights, no download.

``scripted=True`` makes weights that follow a script instead: what is said next depends on the last token alone, and
whole replies are single tokens of the vocabulary. Such a checkpoint calls a tool once (where its template declares
tools) and then answers, in any process that can run it.
"""

from pathlib import Path
from typing import Any

ANSWER = "<answer>12.5, 7.5</answer>"
CALL = (
    '<tool_call>{"name": "ruler", "arguments": {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.5, "y1": 0.5}}</tool_call>'
)

TOOLS_TEMPLATE = """\
{%- macro say(content) %}{% if content is string %}{{ content }}{% else %}{% for part in content %}\
{% if part.type == 'image' %}{{ IMAGE }}{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endmacro -%}
{{ bos_token }}{% if tools %}<turn>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<end>
{% endif %}{% for message in messages %}<turn>{{ message.role }}
{{ say(message.content) }}{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>\
{% endfor %}<end>
{% endfor %}{% if add_generation_prompt %}<turn>assistant{{ ':' if tools and messages[-1].role == 'user' and \
messages | selectattr('role', 'equalto', 'tool') | list | length == 0 else '\\n' }}{% endif %}"""
"""Shows everything; its last token tells the scripted weights whether a tool is to be called."""

GEMMA_TEMPLATE = """\
{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- if messages[0]['content'] is string -%}\
{%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}{%- else -%}\
{%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- endif -%}\
{%- set loop_messages = messages[1:] -%}{%- else -%}{%- set first_user_prefix = "" -%}\
{%- set loop_messages = messages -%}{%- endif -%}{%- for message in loop_messages -%}\
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}\
{{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}{%- endif -%}\
{%- if (message['role'] == 'assistant') -%}{%- set role = "model" -%}{%- else -%}{%- set role = message['role'] -%}\
{%- endif -%}{{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}\
{%- if message['content'] is string -%}{{ message['content'] | trim }}{%- elif message['content'] is iterable -%}\
{%- for item in message['content'] -%}{%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}\
{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}{%- endfor -%}{%- else -%}\
{{ raise_exception("Invalid content type") }}{%- endif -%}{{ '<end_of_turn>\\n' }}{%- endfor -%}\
{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}"""
"""Written like Gemma 3's own: no tools, roles must alternate, a system text goes into the first question."""

GEMMA_TEXT_TEMPLATE = GEMMA_TEMPLATE.replace(
    "<start_of_turn>model\\n'}}",
    "<start_of_turn>model'}}{{ ':' if messages[0].role == 'system' and 'ruler' in messages[0].content[0].text and "
    "loop_messages | length == 1 else '\\n' }}",
)
"""The same; its last token tells the scripted weights to call a tool where the system text speaks of the ruler."""

PLAIN_TEMPLATE = """\
{% for message in messages %}{% if message.role == 'user' %}USER: {% for part in message.content %}\
{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}\n\
{% elif message.role == 'assistant' %}ASSISTANT: {{ message.content }}</s>\n{% endif %}{% endfor %}\
{% if add_generation_prompt %}ASSISTANT:{% endif %}"""
"""Written like LLaVA's: knows users and assistants only and drops all else."""

RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor_pattern": r"<turn>assistant[:\n]",
    "fields": {
        "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*<end>", "content": "text"},
    },
}

_VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 7,
}


def gemma3(
    folder: Path,
    *,
    template: str = TOOLS_TEMPLATE,
    response_template: Any = RESPONSE_TEMPLATE,
    scripted: bool = False,
    ends: bool = True,
) -> Path:
    """Save a Gemma 3 model with its processor to *folder*; a scripted one that never *ends* repeats itself."""
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessor,
        Gemma3Processor,
    )

    images = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    tokenizer = _tokenizer(["<pad>", "<end>", "<bos>", "<turn>", "<start_of_turn>", "<end_of_turn>"], images, scripted)
    if response_template is not None:
        tokenizer.response_template = response_template
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 28, "width": 28}, do_pan_and_scan=False),
        tokenizer=tokenizer,
        chat_template=template.replace("{{ IMAGE }}", "<start_of_image>"),
        image_seq_length=4,
    )
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in images.items()}
    config = Gemma3Config(
        text_config={
            **_text(len(tokenizer)),
            "head_dim": 8,
            "sliding_window": 64,
            "layer_types": ["sliding_attention", "full_attention"],
            "query_pre_attn_scalar": 8,
            "bos_token_id": 2,
            "eos_token_id": 1,
            "tie_word_embeddings": not scripted,
        },
        vision_config=_VISION,
        mm_tokens_per_image=4,
        boi_token_index=ids["boi_token"],
        eoi_token_index=ids["eoi_token"],
        image_token_index=ids["image_token"],
        tie_word_embeddings=not scripted,
    )
    return _saved(folder, Gemma3ForConditionalGeneration, config, processor, scripted=scripted, ends=ends)


def idefics3(folder: Path, *, template: str = TOOLS_TEMPLATE, response_template: Any = RESPONSE_TEMPLATE) -> Path:
    """Save an Idefics3 model with its processor to *folder*."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    tokenizer = _tokenizer(
        ["<pad>", "<end>", "<bos>", "<turn>", "<fake_token_around_image>", "<image>", "<end_of_utterance>"], {}, False
    )
    tokenizer.add_tokens(["<global-img>"])
    if response_template is not None:
        tokenizer.response_template = response_template
    processor = Idefics3Processor(
        image_processor=Idefics3ImageProcessorPil(
            size={"longest_edge": 56}, max_image_size={"longest_edge": 28}, do_image_splitting=False
        ),
        tokenizer=tokenizer,
        image_seq_len=4,
        chat_template=template.replace("{{ IMAGE }}", "<image>"),
    )
    config = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
        tie_word_embeddings=False,
        text_config={"model_type": "llama", **_text(len(tokenizer)), "bos_token_id": 2, "eos_token_id": 1},
        vision_config=_VISION,
    )
    return _saved(folder, Idefics3ForConditionalGeneration, config, processor)


def llava(
    folder: Path,
    *,
    template: str = PLAIN_TEMPLATE,
    response_template: Any = None,
    language: str = "llama",
    crops: bool = True,
) -> Path:
    """Save a LLaVA model with its processor to *folder*; one that *crops* cuts the middle out of a picture."""
    from transformers import (
        CLIPImageProcessor,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _tokenizer(["<pad>", "</s>", "<s>", "<image>", "<turn>", "<end>"], {}, False)
    if response_template is not None:
        tokenizer.response_template = response_template
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": 28} if crops else {"height": 28, "width": 28},
            crop_size={"height": 28, "width": 28},
            do_center_crop=crops,
        ),
        tokenizer=tokenizer,
        patch_size=7,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template.replace("{{ IMAGE }}", "<image>"),
    )
    config = LlavaConfig(
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
        text_config={"model_type": language, **_text(len(tokenizer)), "bos_token_id": 2, "eos_token_id": 1},
        vision_config={"model_type": "clip_vision_model", **_VISION, "projection_dim": 16},
    )
    return _saved(folder, LlavaForConditionalGeneration, config, processor)


def _tokenizer(special: list[str], named: dict[str, str], scripted: bool) -> Any:
    """Return a byte-level tokenizer without merges: every byte a token; pad, end and begin are tokens 0, 1 and 2."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = [*special, *named.values()]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*tokens, *alphabet])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(tokens)
    if scripted:
        inner.add_tokens([AddedToken(reply, normalized=False, special=False) for reply in (ANSWER, CALL)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token=special[0],
        eos_token=special[1],
        bos_token=special[2],
        extra_special_tokens=named or special[3:],
        clean_up_tokenization_spaces=False,
    )


def _text(size: int) -> dict[str, Any]:
    return {
        "vocab_size": size,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32768,
        "pad_token_id": 0,
    }


def _saved(
    folder: Path, architecture: Any, config: Any, processor: Any, *, scripted: bool = False, ends: bool = True
) -> Path:
    import torch

    torch.manual_seed(7)
    model = architecture(config).eval()
    with torch.no_grad():
        # Initial weights are so small that a model hardly looks at what came before.
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and "embed_tokens" not in name:
                weights.mul_(8)
        if scripted:
            _follow_script(model, processor.tokenizer, ends)
    model.generation_config.eos_token_id = 1
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _follow_script(model: Any, tokenizer: Any, ends: bool) -> None:
    """Make the next token depend on the last one alone: a call after ``:``, an answer after a line end."""
    import torch

    embedding = model.get_input_embeddings().weight
    torch.nn.init.normal_(embedding)
    for name, weights in model.named_parameters():
        if "language_model" in name and name.endswith(("o_proj.weight", "down_proj.weight")):
            weights.zero_()
    head = model.get_output_embeddings().weight
    head.zero_()
    call, answer = (tokenizer.convert_tokens_to_ids(reply) for reply in (CALL, ANSWER))
    colon, line_end = (tokenizer.encode(text, add_special_tokens=False)[-1] for text in (":", "\n"))
    for last, following in (
        (colon, call),
        (line_end, answer),
        (call, 1 if ends else call),
        (answer, 1 if ends else answer),
    ):
        head[following] += embedding[last]
