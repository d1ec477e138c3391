"""Generate replies: a few requests at a time, each of which can be stopped from another thread.

Contract: ``Engine.run`` is called by one thread at a time. It returns for each request a reply or a KnownFault saying
why there is none. A batch that fails is repeated one by one, so a request never fails because of another. Decoding is
greedy unless the row has a temperature; the checkpoint's own sampling settings are left out.
"""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jinja2
import torch
from PIL import Image
from transformers import StoppingCriteriaList

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.grammars.grammar import Call
from medvision_agent.agent.grammars.registry import grammar_of
from medvision_agent.agent.models import Transformers
from medvision_agent.agent.providers.local.load import Loaded, is_out_of_memory
from medvision_agent.agent.providers.local.template import ChatTemplate, Conversation
from medvision_agent.agent.wire.failures import Fault, KnownFault
from medvision_agent.errors import ConfigError

__all__ = ["Engine", "Generated", "Request"]

_ALIKE = 0.05
"""Largest mean difference between batched and single scores, in standard deviations of the scores."""


@dataclass(frozen=True, eq=False)
class Request:
    """A request to the local model: a conversation to which it replies, and the declarations of tools."""

    conversation: Conversation
    tools: list[dict[str, Any]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set if nobody waits for the reply any more: generation ends after the current token."""


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated reply and its prompt, as token ids."""

    prompt: list[int]
    reply: list[int]
    """Tokens of the reply, without the token that ended it."""
    ended: bool
    """Whether the model ended its reply itself."""

    @property
    def tokens(self) -> int:
        """Return the number of tokens generated."""
        return len(self.reply) + self.ended


class Engine:
    """A loaded model with its chat template and its generation settings.

    Raises ConfigError if the model cannot be used as its row says.
    """

    def __init__(self, config: Transformers, loaded: Loaded) -> None:
        self.config = config
        self.processor, self.version = loaded.processor, loaded.version
        self.template = ChatTemplate(loaded.processor, name=config.model, native_tools=config.tool_calling == "native")
        self._check_grammar()
        self.logits_processors: Callable[[torch.Tensor], list[Any]] = lambda prompts: []  # noqa: ARG005
        """Returns processors that change the scores of the next token for a batch; tests use it to script replies."""
        self._model = loaded.model
        self._settings = _settings(config, loaded)
        ends = self._settings.eos_token_id
        self._ends = frozenset([ends] if isinstance(ends, int) else ends or ())
        if not self._ends:
            raise ConfigError(
                f"model {config.model}: its settings lack eos_token_id, the token that ends a reply. Add it to its "
                "generation_config.json."
            )
        text_config = loaded.model.config.get_text_config()
        self._context: int | None = getattr(text_config, "max_position_embeddings", None)
        if config.batch_size > 1:
            self._check_batches()

    def _check_grammar(self) -> None:
        """Raise ConfigError for a grammar of tool calls whose marks are control tokens of this model, not text."""
        grammar = grammar_of(self.config)
        if grammar is not None and self.template.breaks_up(f"{grammar.opens}{grammar.write([Call('ruler')])}"):
            raise ConfigError(
                f"model {self.config.model}: the tags of tool calls in the grammar {self.config.text_grammar!r} are "
                "control tokens of this model's tokenizer, so that they cannot be sent as text; choose another "
                "`grammar` in its row, or `tool_calling: native`."
            )

    def run(self, requests: Sequence[Request]) -> list[Generated | KnownFault]:
        """Return for each request its reply, or a KnownFault with the reason why it has no reply."""
        try:
            return list(self._generated(requests))
        except Exception as error:  # noqa: BLE001 - whatever a model's code raises ends a sample, never the run
            if len(requests) == 1:
                return [_fault(error)]
        return [reply for request in requests for reply in self.run([request])]

    def encode(self, requests: Sequence[Request]) -> Any:
        """Return the input tensors of a batch; all its requests declare the same tools."""
        return self.processor.apply_chat_template(
            [request.conversation for request in requests],
            tools=requests[0].tools or None,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True} if len(requests) > 1 else {},
        ).to(self._model.device, dtype=self._model.dtype)

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the visible text of *tokens*."""
        return str(self.processor.tokenizer.decode(list(tokens), skip_special_tokens=True))

    def _generated(self, requests: Sequence[Request]) -> list[Generated]:
        inputs = self.encode(requests)
        length = int(inputs["input_ids"].shape[1])
        with self._seeded(), torch.inference_mode():
            output = self._model.generate(
                **inputs,
                generation_config=self._with_room(length, alone=len(requests) == 1),
                stopping_criteria=StoppingCriteriaList([_stopped(requests)]),
                logits_processor=self.logits_processors(inputs["input_ids"]),
            )
        masks = inputs["attention_mask"].bool()
        return [
            self._cut(prompt[mask].tolist(), row[length:].tolist())
            for prompt, mask, row in zip(inputs["input_ids"], masks, output, strict=True)
        ]

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Within the block, use the row's seed, if any, without changing the random numbers of other code here."""
        seed, device = self.config.seed if self.config.temperature else None, self._model.device
        with torch.random.fork_rng([device] if device.type == "cuda" else [], enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            yield

    def _cut(self, prompt: list[int], tokens: list[int]) -> Generated:
        """Return a reply up to the token that ends it; in a batch, padding follows that token."""
        end = next((place for place, token in enumerate(tokens) if token in self._ends), None)
        return Generated(prompt, tokens[:end], ended=end is not None)

    def _with_room(self, length: int, *, alone: bool) -> Any:
        """Return the generation settings with an output limit that fits in the model's context.

        *length* is the number of prompt tokens; *alone*: the batch has one request. Raises KnownFault if no output
        fits, or if a batch gets less than the row's limit: its requests are then asked one by one.
        """
        wanted = self.config.max_output_tokens
        room = wanted if self._context is None else min(wanted, self._context - length)
        if room <= 0 or (room < wanted and not alone):
            detail = f"the conversation's {length} tokens fill the model's context of {self._context}"
            raise KnownFault(Fault(Outcome.CONTEXT_OVERFLOW, detail))
        settings = copy.copy(self._settings)
        settings.max_new_tokens = room
        return settings

    def _check_batches(self) -> None:
        """Raise ConfigError if the model scores a padded batch differently from its members alone."""
        words = ("How wide?", "How wide is the picture that you are shown here, from its left edge to its right one?")
        requests = [Request(_trial(text, grey)) for text, grey in zip(words, (60, 180), strict=True)]
        try:
            alone = [self._scores([request])[0] for request in requests]
            together = self._scores(requests)
        except Exception as error:  # noqa: BLE001 - any failure of a model's code to take a batch
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        else:
            apart = max(
                float((one - other).abs().mean() / one.std()) for one, other in zip(alone, together, strict=True)
            )
            if apart <= _ALIKE:
                return
            why = f"scores of the next token differ by {apart:.2g} standard deviations"
        raise ConfigError(
            f"model {self.config.model}: batch_size {self.config.batch_size}: the model does not score a batch as it "
            f"scores one sample ({why}); leave batch_size out."
        )

    def _scores(self, requests: Sequence[Request]) -> torch.Tensor:
        """Return the scores of the next token of each request, with shape (requests, vocabulary)."""
        settings = copy.copy(self._settings)
        settings.update(max_new_tokens=1, return_dict_in_generate=True, output_logits=True)
        with torch.inference_mode():
            output = self._model.generate(**self.encode(requests), generation_config=settings)
        scores: torch.Tensor = output.logits[0].float()
        return scores


def _settings(config: Transformers, loaded: Loaded) -> Any:
    """Return the generation settings: the checkpoint's without its sampling settings, and the row's in their place."""
    settings = copy.deepcopy(loaded.model.generation_config)
    settings.update(do_sample=False, num_beams=1, temperature=None, top_p=None, top_k=None, min_p=None, typical_p=None)
    settings.update(max_length=None, max_new_tokens=config.max_output_tokens)
    if config.temperature:
        settings.update(do_sample=True, temperature=config.temperature, top_p=config.top_p or 1.0, top_k=0)
    tokenizer = loaded.processor.tokenizer
    if settings.eos_token_id is None:
        settings.eos_token_id = tokenizer.eos_token_id
    if settings.pad_token_id is None:
        settings.pad_token_id = tokenizer.pad_token_id
    return settings


def _stopped(requests: Sequence[Request]) -> Callable[..., torch.Tensor]:
    def stopped(tokens: torch.Tensor, scores: torch.Tensor, **settings: Any) -> torch.Tensor:  # noqa: ARG001
        return torch.tensor([request.stop.is_set() for request in requests], device=tokens.device)

    return stopped


def _trial(text: str, grey: int) -> Conversation:
    picture = Image.linear_gradient("L").point(lambda value: (value + grey) % 256).convert("RGB")
    return [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": text}]}]


def _fault(error: Exception) -> KnownFault:
    """Return the KnownFault for an exception in a model's code."""
    if isinstance(error, KnownFault):
        return error
    detail = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    if is_out_of_memory(error):
        return KnownFault(Fault(Outcome.SERVER_ERROR, f"the model ran out of memory ({detail})"))
    if isinstance(error, jinja2.TemplateError):
        return KnownFault(Fault(Outcome.REJECTED, f"the chat template refuses the conversation ({detail})"))
    fault = KnownFault(Fault(Outcome.INTERNAL, detail))
    fault.__cause__ = error
    return fault
