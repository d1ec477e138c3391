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
    """The mark of a setting: whether it is part of a run's identity, of its tool condition, or of neither."""

    to: Literal["identity", "condition", "neither"]
    changes: frozenset[str] = frozenset()
    """The fields of a stored identity, and the hashes of its records, that may change with the setting."""
    varies: str = ""
    """What a study calls it in `varies`; empty: the name of the field."""


NEITHER = Belongs("neither")
"""May change between two sessions of one run."""


def identity(*changes: str, varies: str = "") -> Belongs:
    """Return the mark of a setting in which two runs that are resumed or compared must agree.

    *changes* are the fields of a stored identity, and the hashes of records, that may change with it. *varies* is its
    name in a study's ``varies``; empty for the name of the field.
    """
    return Belongs("identity", frozenset(changes), varies)


def condition(*changes: str) -> Belongs:
    """Return the mark of a setting in which the two arms of a comparison of tools may differ.

    *changes* are the fields of a stored identity, and the hashes of records, that may change with it.
    """
    return Belongs("condition", frozenset(changes))


def belongs(model: type[BaseModel]) -> dict[str, Belongs]:
    """Return the mark of every field of *model* by the field's name; ValueError if a field has not exactly one."""
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
    """The settings that say how every sample is asked; an arm of a study may have its own."""

    model_config = ConfigDict(use_attribute_docstrings=True, str_strip_whitespace=True)

    tools: Annotated[
        str, condition("condition", "control", "again", "provider_code", "overlays", "paragraph", *_TOOLS)
    ] = Field(default="on", min_length=1)
    """Tools the model may call: `on` (the newest set), `off` (none), tools by name (`crop,ruler`), the set and further
    tools (`on,NAME`), `on@2026-11` (the set of that month), `code` (the provider's code execution), `upstream`
    (MedVision's own tool, called once: docs/tools.md), or a control (docs/studies.md): tools return no results
    (`blind`) or other images (`same-region`, `blank`, `misled`), or the model has no tools and checks its answer N
    times (`again:N`). In a study also `matched`, `matched:mean`, `matched:thinking`, `matched:enlarged` and
    `result-only`, which are made from the answers of its arm `on`. For a tool that outlines (`fit_contour`, `segment`)
    a method may be named after an @: `segment@watershed`, `segment@server`, `segment@oracle`, `segment@noise:0.1`."""
    tools_dated: Annotated[str | None, Belongs("condition", frozenset(_TOOLS), varies="tools")] = None
    """The month of the shipped tools, such as `2026-11`. `on` then means the set of that month, and all tools are
    declared in its words. Default: the newest; a stored run that is resumed or asked again keeps its month."""
    segmenter: Annotated[str | None, condition("tool_variants")] = None
    """Address of the segmentation server that a tool with the method `@server` asks, such as `http://127.0.0.1:8000`
    (docs/segmenters.md)."""
    picture: Annotated[Picture, identity("picture", "donors_sha256", "v0_sha256")] = "own"
    """The image shown with the question: the sample's `own`, `none`, a uniform image (`blank`), or the image of another
    subject with the same question (`swapped`; the seed chooses the subject). Tools work on the image that the model is
    given; with `none` on the uniform one, and their images are withheld."""
    recipe: Annotated[str, identity("recipe", "prompt_sha256", "v0_sha256")] = "medvision-1.2"
    """How a sample is asked, after one of MedVision's two generations: `medvision-1.2` or `paper-v1`. It decides grey
    levels, the sizes that the prompt states, and the form of the reply (docs/prompts.md)."""
    form: Annotated[str, identity("form", "prompt_sha256")] = "direct"
    """The prompt form: `direct`, or `cot`, which also prescribes the steps of the reasoning (only with the recipe
    `medvision-1.2`)."""
    frame: Annotated[str | None, identity("model.frame", "prompt_sha256", *_PARAGRAPH)] = None
    """The coordinate convention of prompts, tools and answers: `medvision`, `top-left`, `norm1000`, `norm1000-yx` or
    `pixel` (docs/prompts.md). Default: that of the model's row."""
    grammar: Annotated[str | None, identity("model.grammar", "model.grammar_origin", "tool_paragraph_sha256")] = None
    """How tools are declared, called and answered in text: `plain`, `hermes` or `medvision`. Only for models with
    `tool_calling: text`. Default: that of the model's row."""
    prompt_file: Annotated[Path | None, identity("prompt_file_sha256", "prompt_sha256", "tool_paragraph_sha256")] = None
    """A YAML file of your own prompts, by name. For names that it leaves out, the shipped prompts are used
    (docs/prompts.md)."""
    wording: Annotated[int, Field(ge=0, lt=WORDINGS), identity("wording", "wording_sha256", "prompt_sha256")] = 0
    """The wording of the question: 0 for the usual one, 1 to 8 for a paraphrase (docs/prompts.md)."""
    words: Annotated[
        Literal["shipped", "upstream"], identity("words", "words_origin", "words_sha256", "prompt_sha256")
    ] = "shipped"
    """Who worded the question: this project (`shipped`) or MedVision (`upstream`). For `upstream`, its package
    `medvision-bm` must be installed, and the samples must be MedVision's (docs/prompts.md)."""
    upstream_python: Annotated[
        Path | None, identity("words_origin", "words_sha256", "prompt_sha256", varies="words")
    ] = None
    """For words of `upstream`: the Python interpreter of the environment in which `medvision-bm` is installed. Default:
    the interpreter that runs this program."""
    tool_order: Annotated[int | None, identity("tool_order")] = None
    """Random seed by which the order of the tools' declarations is shuffled, for each sample and wording. Default: not
    shuffled."""
    spacing: Annotated[Literal["prompt", "tool"], identity("states_spacing", "prompt_sha256")] = "prompt"
    """Where the model finds the size of a pixel in mm: in the `prompt`, or only in results of tools (`tool`):
    `pixel_spacing` and `crop` state it."""
    display: Annotated[Display, identity("display", "display_sha256", "prompt_sha256", "v0_sha256")] = "plain"
    """What is drawn on the image and on every further view of it, with or without tools: nothing (`plain`), `ticks`
    with coordinates along the edges, a `grid` of 9 x 9 lines with coordinates, or a `scale-bar`."""
    overlays: Annotated[bool, condition("overlays", *_PARAGRAPH)] = True
    """Show the model the picture that a tool draws of what it measured (a line, an outline, a mark). A further view,
    such as that of `crop`, is always shown."""
    paragraph: Annotated[
        Literal["plain", "paraphrased", "must-use"], condition("paragraph", "tool_paragraph_sha256")
    ] = "plain"
    """The paragraph of the prompt that names the tools: the usual one (`plain`), one in other words (`paraphrased`), or
    one that demands at least one call (`must-use`)."""


class Settings(Asked):
    """All settings of a run: how and which samples are asked, by which model, and where the results are stored."""

    model: Annotated[str, identity("model_name", "model")]
    """A model of the catalogue (see: medvision-agent models list)."""
    row: Annotated[ModelConfig | None, identity("model")] = Field(default=None, discriminator="provider")
    """The model's row itself, instead of the catalogue's row of that name."""
    models_file: Annotated[Path | None, NEITHER] = None
    """A YAML file of your own models, which are added to the catalogue; a model with the name of a shipped one replaces
    it (docs/models.md)."""
    tools_from: Annotated[Path | None, condition(*_TOOLS)] = None
    """A Python file of your own tools (docs/tools.md). With tools `on`, the model may call them too."""
    script: Annotated[str | None, identity("model")] = None
    """For the offline model `scripted`: a JSON file with the turns that it replays in each conversation."""
    data: Annotated[str, identity(*_SAMPLES, "source_origin")] = "demo"
    """The source of samples: `demo`, `phantom[:N[:SEED]]` (N synthetic images), `medvision:DIR`, a JSONL or Parquet
    file, or `NAME:ARGUMENT` of an installed package's source."""
    selection: Annotated[Selection, identity(*_SAMPLES)] = Selection()
    """Which samples of the source are asked."""
    reading: Annotated[Reading, identity("sample_ids_sha256", "samples_sha256")] = Reading()
    """How MedVision's data is read."""
    reshape: Annotated[tuple[int, int] | None, identity("reshape", "prompt_sha256", "v0_sha256")] = None
    """Height and width in pixels to which each image is resampled before it is shown, such as 512,512. Default: not
    resampled."""
    limits: Annotated[Limits, identity("limits")] = Limits()
    """What one sample may use."""
    budget: Annotated[Budget, NEITHER] = Budget()
    """What the whole run may take."""
    max_connections: Annotated[int | None, NEITHER] = Field(default=None, ge=1, le=100_000)
    """Maximum number of samples that are asked at the same time, by all processes together. Default: `max_connections`
    of the model's row."""
    processes: Annotated[int | None, NEITHER] = Field(default=None, ge=1, le=256)
    """Number of processes that ask the model. On this machine, 1 means that one process asks and stores the results;
    with more, another process stores them. Default: as many as are useful for this number of samples, at most one for
    each core of this machine; 1 for a model that is loaded into the process, and on a Ray cluster."""
    engine: Annotated[Literal["local", "ray"], NEITHER] = "local"
    """Where the processes that ask the model run: on this machine (`local`), or as workers of a Ray cluster (`ray`,
    which needs `pip install 'medvision-agent[cluster]'`; docs/cluster.md)."""
    address: Annotated[str | None, NEITHER] = None
    """The Ray cluster: `auto` (the one that runs on this machine), or `HOST:PORT`. Default: the variable `RAY_ADDRESS`;
    if it is not set, Ray is started on this machine."""
    gpus: Annotated[float | None, NEITHER] = Field(default=None, ge=0, le=64)
    """GPUs for each worker of a Ray cluster. With a fraction, several workers share one GPU. Default: 1 if the workers
    load the model and the cluster has a GPU, else 0."""
    probe: Annotated[bool, NEITHER] = True
    """Before the first sample, check with two short requests that the declarations of tools reach the model. Applies
    only to tools that are declared by the service's own function calling."""
    unchecked: Annotated[tuple[str, ...], NEITHER] = ()
    """`pixel-size`, `shared-picture`: rules of `data check` that are not applied to the samples, because the data that
    they would refuse is right (docs/data.md)."""
    out: Annotated[Path, NEITHER] = Path()
    """The folder of the run."""
    resume: Annotated[bool, NEITHER] = False
    """Continue the run in the folder: ask the samples that were not asked yet, and again those that ended without a
    result, as by an error of the service. A sample that ended the program is not asked again."""

    def stored(self) -> dict[str, Any]:
        """Return the settings that a run stores, as JSON data: all but ``model``, ``row``, ``out`` and ``resume``."""
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
