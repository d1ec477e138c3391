"""The settings of a run: the one place where each of them is declared, described and given its default.

Contract: a setting that is added here is stored, counted in the identity as its mark says (``Belongs``), asked again
by ``rerun``, offered by ``run``, and, if it stands in ``Asked``, a key of a study's arms that ``varies`` can name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import ModelConfig
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.settings.identity import FIRST_SET
from medvision_agent.frozen import Frozen
from medvision_agent.prompts.paraphrase import WORDINGS
from medvision_agent.tools.view.views import Display

__all__ = ["NEITHER", "TOOL_FIELDS", "Asked", "Belongs", "Picture", "Settings", "belongs", "condition", "identity"]


Picture = Literal["own", "none", "blank", "swapped"]
"""What picture stands with a question (``eval/asking/pictures.py``)."""


@dataclass(frozen=True, slots=True)
class Belongs:
    """Where a setting counts: in the identity, in a study, or only in a session."""

    to: Literal["identity", "condition", "neither"]
    changes: frozenset[str] = frozenset()
    """The fields of a stored identity, and the hashes of its records, that may change with the setting."""
    varies: str = ""
    """What a study calls it in `varies`; empty: the name of the field."""


NEITHER = Belongs("neither")
"""May change between two sessions of one run."""


def identity(*changes: str, varies: str = "") -> Belongs:
    """Return the mark of a setting in which two runs that are resumed or compared must agree."""
    return Belongs("identity", frozenset(changes), varies)


def condition(*changes: str) -> Belongs:
    """Return the mark of a setting in which the two arms of a comparison of tools may differ."""
    return Belongs("condition", frozenset(changes))


def belongs(model: type[BaseModel]) -> dict[str, Belongs]:
    """Return the mark of every field of *model*; raises ValueError where a field has none."""
    marks = {}
    for name, field in model.model_fields.items():
        found = [mark for mark in field.metadata if isinstance(mark, Belongs)]
        if len(found) != 1:
            raise ValueError(f"{model.__name__}.{name} needs exactly one mark, such as identity() or condition()")
        marks[name] = found[0]
    return marks


_PARAGRAPH = ("tool_schemas_sha256", "tool_paragraph_sha256")
_SAMPLES = ("sample_ids_sha256", "samples_sha256", "volumes_sha256")
_TOOLS = ("tools", "tool_set", "tool_code_sha256", "tool_variants", "told_truth", *_PARAGRAPH)


class Asked(Frozen):
    """How every sample is asked."""

    model_config = ConfigDict(use_attribute_docstrings=True, str_strip_whitespace=True)

    tools: Annotated[
        str, condition("condition", "control", "again", "provider_code", "overlays", "paragraph", *_TOOLS)
    ] = Field(default="on", min_length=1)
    """Tools the model may call: `on` (the newest set), `off` (none), tools by name (`crop,ruler`; `on,NAME`),
    `on@2026-11` (the set of that month), `code` (the provider's code execution), `upstream` (MedVision's own tool,
    called once: docs/tools.md), or a control (docs/studies.md): `blind`, `same-region`, `blank`, `misled`, `again:N`.
    In a study also `matched`, `matched:mean`, `matched:thinking`, `matched:enlarged` and `result-only`, which are made
    from the answers of its arm `on`. A tool that outlines may carry a variant: `segment@watershed`, `segment@server`,
    `segment@oracle`, `segment@noise:0.1`."""
    tools_dated: Annotated[str | None, Belongs("condition", frozenset(_TOOLS), varies="tools")] = None
    """The month of the shipped tools, such as `2026-11`. `on` then means the set of that month, and all tools are
    declared in its words. Default: the newest; a stored run that is resumed or asked again keeps its month."""
    segmenter: Annotated[str | None, condition("tool_variants")] = None
    """The address of the segmenter that the variant `server` asks, such as `http://127.0.0.1:8000`."""
    picture: Annotated[Picture, identity("picture", "donors_sha256", "v0_sha256")] = "own"
    """The image shown with the question: the sample's `own`, `none`, a uniform image (`blank`), or the image of another
    subject with the same question (`swapped`; the seed chooses the subject). Tools work on the same image."""
    recipe: Annotated[str, identity("recipe", "prompt_sha256", "v0_sha256")] = "medvision-1.2"
    """How a sample is asked: `medvision-1.2` or `paper-v1`."""
    form: Annotated[str, identity("form", "prompt_sha256")] = "direct"
    """The prompt form: `direct`, or `cot`, which also prescribes the steps of the reasoning."""
    frame: Annotated[str | None, identity("model.frame", "prompt_sha256", *_PARAGRAPH)] = None
    """The coordinate convention of prompts, tools and answers, instead of the model's own."""
    grammar: Annotated[str | None, identity("model.grammar", "model.grammar_origin", "tool_paragraph_sha256")] = None
    """How tools are declared, called and answered in text (`plain`, `hermes`, `medvision`), instead of the model's own
    grammar. Only for models with `tool_calling: text`."""
    prompt_file: Annotated[Path | None, identity("prompt_file_sha256", "prompt_sha256", "tool_paragraph_sha256")] = None
    """A YAML file of your own prompts."""
    wording: Annotated[int, Field(ge=0, lt=WORDINGS), identity("wording", "wording_sha256", "prompt_sha256")] = 0
    """The words of the question: 0 for the usual ones, 1 to 8 for a paraphrase (docs/prompts.md)."""
    words: Annotated[
        Literal["shipped", "upstream"], identity("words", "words_origin", "words_sha256", "prompt_sha256")
    ] = "shipped"
    """Whose words the question is put into: the `shipped` ones, or `upstream`: those of MedVision's own package
    `medvision-bm`, taken from where it is installed (docs/prompts.md). Only for MedVision's samples."""
    upstream_python: Annotated[
        Path | None, identity("words_origin", "words_sha256", "prompt_sha256", varies="words")
    ] = None
    """With `words: upstream`, the Python interpreter of the environment that has `medvision-bm`, where it is another
    than this one."""
    tool_order: Annotated[int | None, identity("tool_order")] = None
    """Random seed that shuffles the order of the tools' declarations for each sample and wording."""
    spacing: Annotated[Literal["prompt", "tool"], identity("states_spacing", "prompt_sha256")] = "prompt"
    """Where the model finds the size of a pixel: in the prompt, or only in the results of `pixel_spacing` and
    `crop`."""
    display: Annotated[Display, identity("display", "display_sha256", "prompt_sha256", "v0_sha256")] = "plain"
    """What is drawn on the image and on every further view of it, with or without tools: nothing (`plain`), `ticks`
    with coordinates along the edges, a `grid` of 9 x 9 lines with coordinates, or a `scale-bar`."""
    overlays: Annotated[bool, condition("overlays", *_PARAGRAPH)] = True
    """Show the model the picture that a tool draws of what it measured. The image of `crop` is always shown."""
    paragraph: Annotated[
        Literal["plain", "paraphrased", "must-use"], condition("paragraph", "tool_paragraph_sha256")
    ] = "plain"
    """The paragraph of the prompt that names the tools: the usual one, one in other words, or one that demands a
    call."""


class Settings(Asked):
    """Everything a run is asked with, and where it is kept."""

    model: Annotated[str, identity("model_name", "model")]
    """A model of the catalogue (see: medvision-agent models list)."""
    row: Annotated[ModelConfig | None, identity("model")] = Field(default=None, discriminator="provider")
    """The model's row itself, instead of the catalogue's row of that name."""
    models_file: Annotated[Path | None, NEITHER] = None
    """A YAML file of your own models."""
    tools_from: Annotated[Path | None, condition(*_TOOLS)] = None
    """A Python file of your own tools (docs/tools.md); `on` has them too."""
    script: Annotated[str | None, identity("model")] = None
    """For the model named `scripted`: a JSON file with the turns that it replays."""
    data: Annotated[str, identity(*_SAMPLES, "source_origin")] = "demo"
    """The source of samples: `demo`, `phantom[:N[:SEED]]` (N synthetic images), `medvision:DIR`, a JSONL or Parquet
    file, or `NAME:ARGUMENT` of an installed package's source."""
    selection: Annotated[Selection, identity(*_SAMPLES)] = Selection()
    """Which samples of the source are asked."""
    reading: Annotated[Reading, identity("sample_ids_sha256", "samples_sha256")] = Reading()
    """How MedVision's data is read."""
    reshape: Annotated[tuple[int, int] | None, identity("reshape", "prompt_sha256", "v0_sha256")] = None
    """Height and width to which native images are resampled first."""
    limits: Annotated[Limits, identity("limits")] = Limits()
    """What one sample may use."""
    budget: Annotated[Budget, NEITHER] = Budget()
    """What the whole run may take."""
    max_connections: Annotated[int | None, NEITHER] = Field(default=None, ge=1, le=100_000)
    """Samples in flight at once over all processes, which share them evenly, instead of the model's own setting."""
    processes: Annotated[int | None, NEITHER] = Field(default=None, ge=1, le=256)
    """Processes that ask the model. With 2 or more, another process stores the results; with 1, one process does both.
    Default: as many of the machine's cores as help."""
    engine: Annotated[Literal["local", "ray"], NEITHER] = "local"
    """Where these processes run: on this machine (`local`), or as actors of a Ray cluster (`ray`; it needs the extra
    `cluster`)."""
    address: Annotated[str | None, NEITHER] = None
    """The Ray cluster: `auto`, or `HOST:PORT`. Default: Ray is started on this machine."""
    gpus: Annotated[float | None, NEITHER] = Field(default=None, ge=0, le=64)
    """GPUs for each worker of a Ray cluster. With a fraction, several workers share one GPU. Default: 1 if the workers
    load the model and the cluster has a GPU, else 0."""
    probe: Annotated[bool, NEITHER] = True
    """Before the first sample, check with two short requests that the declarations of tools reach the model. Applies
    only to tools that are declared by the service's own function calling."""
    unchecked: Annotated[tuple[str, ...], NEITHER] = ()
    """Rules of `data check` that are not applied to the samples, because what they would refuse is correct here:
    `pixel-size`, `shared-picture` (docs/data.md)."""
    out: Annotated[Path, NEITHER] = Path()
    """The folder of the run."""
    resume: Annotated[bool, NEITHER] = False
    """Continue the run in the folder: the samples that are missing or never got a reply."""

    def stored(self) -> dict[str, Any]:
        """Return the settings that a run stores, as JSON data: all but the model's row and the run's folder."""
        return self.model_dump(mode="json", exclude={"model", "row", "out", "resume"})

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Settings":
        """Return the settings of a run from its stored data; raises KeyError or ValueError where they are incomplete.

        Version 0.1.0 did not keep ``budget``, ``frame`` (it stands in the model's row), ``script`` and ``models_file``;
        it had no ``grammar``, no ``probe``, no ``segmenter``, no ``tools_from``, no ``display``, no ``picture``, no
        ``wording``, no ``words``, no ``upstream_python``, no ``tool_order``, no ``processes``, no ``engine``, no
        ``address``, no ``gpus`` and no ``unchecked``. Before there were two sets of tools, nobody kept ``tools_dated``.
        """
        names = cls.model_fields.keys() - {"model", "row", "out", "resume"}
        later = {"budget", "frame", "script", "models_file", "grammar", "probe", "segmenter", "tools_from", "display"}
        later |= {"picture", "wording", "tool_order", "processes", "engine", "address", "gpus", "unchecked"}
        later |= {"words", "upstream_python"}
        stored = {"tools_dated": FIRST_SET, **stored}
        kept = {name: stored[name] for name in names if name not in later or name in stored}
        return cls.model_validate({**kept, "model": stored["model_name"], "row": stored["model"]})


TOOL_FIELDS: frozenset[str] = frozenset[str]().union(
    *(mark.changes for mark in belongs(Settings).values() if mark.to == "condition")
)
"""The fields of an identity that belong to the tool condition: the only ones in which two compared runs may differ."""
