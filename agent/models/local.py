"""Rows of models that run in this process: transformers models, and the shipped offline policies."""

from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from medvision_agent.agent.models.checkpoint import fingerprint, local_folder
from medvision_agent.agent.models.row import Model
from medvision_agent.tools.view.perceived import Native

__all__ = ["Offline", "Transformers"]


class Transformers(Model):
    """A model of the transformers library, run in this process (the extra ``local``).

    Code that comes with a checkpoint is never run (``trust_remote_code`` is not offered: it would be a stranger's code
    beside the data), and weights are read from safetensors files only, which cannot hold code.
    """

    provider: Literal["transformers"] = "transformers"
    model: str = Field(min_length=1)
    """An id of the Hugging Face hub (OWNER/NAME), or a folder with a checkpoint."""
    revision: str | None = None
    """Branch, tag or commit on the hub; its default branch where not given. Records hold the commit that answered."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$")
    """Where the model runs; auto: the first GPU if there is one, else the CPU."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Type of the weights in memory; auto: the type they were saved in."""
    max_output_tokens: int = Field(default=4096, gt=0)
    """Limit of one reply, thinking included; shorter where the model's context ends."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature; where it is not given, or 0, the likeliest token is taken (greedy), whatever the
    checkpoint's own sampling settings say."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling; only with a temperature."""
    seed: int | None = Field(default=None, ge=0)
    """Sampling seed, set anew before every batch; only with a temperature."""
    batch_size: int = Field(default=1, ge=1, le=256)
    """Maximum number of samples generated together. A model whose batched scores differ from single ones is refused."""
    response_template: dict[str, Any] | None = None
    """How to parse tool calls and thoughts in a reply (transformers' response template), for checkpoints whose
    tokenizer has no such template."""
    tool_choice_none: bool = False
    """A chat template cannot forbid a call: the last turn leaves the tools out."""
    timeout_seconds: float = Field(default=1800, gt=0)
    """Total time of one reply, the wait for other replies of the same model included."""
    max_tries: int = Field(default=1, ge=1, le=20)
    """Maximum number of tries of one request; a local model that failed once fails again."""
    max_connections: int = Field(default=1, ge=1, le=1000)
    """Samples in flight; ``batch_size`` where not given. More samples would only wait for each other."""

    @model_validator(mode="before")
    @classmethod
    def _in_flight_as_in_a_batch(cls, row: Any) -> Any:
        if isinstance(row, dict) and "max_connections" not in row and isinstance(row.get("batch_size"), int):
            return row | {"max_connections": row["batch_size"]}
        return row

    @model_validator(mode="after")
    def _has_an_effect(self) -> "Transformers":
        if not self.temperature and (self.top_p is not None or self.seed is not None):
            raise ValueError(
                "top_p and seed have no effect without a temperature above 0; give a temperature, or leave them out"
            )
        if self.images_in_tool_result:
            raise ValueError(
                "images_in_tool_result: chat templates take only text from a tool, so images must go into a user "
                "message; leave this key out"
            )
        return self

    def identity(self) -> dict[str, Any]:
        """Return the settings that define what is run; a folder is identified by its content, not its path.

        Raises ConfigError if ``model`` is a path without a folder, or if its weights cannot be read.
        """
        fields = super().identity()
        folder = local_folder(self.model)
        if folder is not None:
            fields["model"] = f"sha256:{fingerprint(folder)}"
        return fields


class Offline(Model):
    """A policy shipped with the package: needs no network and no key, and answers the same on every machine."""

    provider: Literal["offline"] = "offline"
    name: Literal["prior", "cv", "oracle", "scripted"]
    """Which policy answers."""
    perceived: Native = Native()
    """The policies see the pixels as sent."""
    script: str | None = None
    """File of replies for the scripted policy."""

    def identity(self) -> dict[str, Any]:
        """Return the settings that define what is run; a script is identified by its content, not its path."""
        fields = super().identity()
        if self.script is not None:
            fields["script"] = sha256(Path(self.script).read_bytes()).hexdigest()
        return fields

    @property
    def model(self) -> str:
        """The id under which the policy appears beside other models, such as ``offline/prior``."""
        return f"offline/{self.name}"
