"""The study file: what is varied, over what it is varied, and which comparisons are declared.

    name: tools-on-demo
    models: [gemini-2.5-flash]
    data: demo
    designs: [on-off, leave-one-out, repeat]

Paths in it are relative to the file. Every key is described in docs/studies.md, which is generated from this file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from medvision_agent.agent.limits import Limits
from medvision_agent.agent.made import ENLARGED
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.compare.statistics.looks import MOST_LOOKS
from medvision_agent.eval.scorer.primary import Failures, Metric, metric_named
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.settings.settings import Asked, belongs, identity
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import NAME, Frozen
from medvision_agent.prompts.paraphrase import WORDINGS, draw_wordings
from medvision_agent.tools.view.views import Display

__all__ = ["VARIES", "Arm", "Contrast", "Cross", "Only", "Study", "Varied", "source_arm"]


class _Strict(Frozen):
    model_config = ConfigDict(use_attribute_docstrings=True, str_strip_whitespace=True)


class Arm(Asked):
    """One way of asking every sample. Omitted keys are those of `base`."""

    max_tool_calls: Annotated[int | None, identity("limits.tool_calls", varies="limits")] = Field(
        default=None, ge=1, le=10_000
    )
    """Most tool calls for one sample, replacing the study's `limits`."""
    max_model_calls: Annotated[int | None, identity("limits.model_calls", varies="limits")] = Field(
        default=None, ge=2, le=1000
    )
    """Most model turns for one sample, replacing the study's `limits`."""

    @property
    def enlarged(self) -> bool:
        """Whether the image is enlarged, as the arm's tool condition states.

        Contrasts list this in addition to tools.
        """
        return self.tools == ENLARGED

    def differences(self, other: "Arm") -> tuple[str, ...]:
        """Return the settings in which two arms differ, by the names that `varies` uses."""
        return tuple(
            name
            for name, varied in VARIES.items()
            if any(getattr(self, key) != getattr(other, key) for key in varied.keys)
        )


def source_arm(name: str) -> str:
    """Return the name of the arm from whose answers the arm *name* is made: `on@cot` for `matched@cot`."""
    _, at, factors = name.partition("@")
    return f"on{at}{factors}"


@dataclass(frozen=True, slots=True)
class Varied:
    """A setting in which two arms may differ."""

    keys: tuple[str, ...]
    """The keys of an arm that belong to it."""
    changes: frozenset[str]
    """The fields of an identity, and the hashes of its records, that may change with it."""


def _varies() -> dict[str, Varied]:
    found: dict[str, Varied] = {}
    for key, mark in belongs(Arm).items():
        name = mark.varies or key
        before = found.get(name, Varied((), frozenset()))
        found[name] = Varied((*before.keys, key), before.changes | mark.changes)
    found["enlarged"] = Varied(("enlarged",), frozenset({"enlarged"}))
    return found


VARIES: dict[str, Varied] = _varies()
"""The settings in which two arms may differ, by their names in `varies`."""


def _twice(names: tuple[str, ...]) -> str:
    """Return the first name that occurs twice."""
    return next(name for name in names if names.count(name) > 1)


def _known(name: str) -> str:
    if name not in VARIES:
        raise ValueError(f"expected one of {', '.join(VARIES)}.{nearest(name, VARIES)}")
    return name


def _metrics(value: object) -> object:
    """Return *value*, one metric or a table of them; raises ValueError for an unknown metric, listing the known ones.

    Otherwise the choice between name and table would hide the error.
    """
    for name in value.values() if isinstance(value, dict) else [value]:
        try:
            metric_named(str(name))
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("metric: ")) from None
    return value


class Contrast(_Strict):
    """A declared comparison of two arms: B minus A, sample by sample."""

    a: str
    """The arm that is compared with."""
    b: str
    """The arm that is compared."""
    varies: tuple[Annotated[str, AfterValidator(_known)], ...] = ("tools",)
    """The settings in which the two arms differ. The study is rejected if they differ in any other, or do not differ in
    these."""
    tested: bool = True
    """Whether it belongs to the family of tests; a `repeat`, which only measures noise, does not."""

    @property
    def name(self) -> str:
        """The contrast's name in reports, such as `off -> on`."""
        return f"{self.a} -> {self.b}"


class Cross(_Strict):
    """All arms and contrasts, once for each combination of these; arms are then called `on@cot` and so on."""

    recipe: tuple[str, ...] = ()
    """Recipes."""
    form: tuple[str, ...] = ()
    """Prompt forms."""
    frame: tuple[str, ...] = ()
    """Coordinate conventions."""
    display: tuple[Display, ...] = ()
    """Displays."""
    grammar: tuple[str, ...] = ()
    """Grammars of tool calls in text."""


class Only(_Strict):
    """The arms and tasks of a model that is not asked everything."""

    arms: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Only these arms."""
    tasks: Annotated[tuple[TaskName, ...], Field(min_length=1)] | None = None
    """Only these tasks."""


class Study(_Strict):
    """A whole study file."""

    name: str = Field(min_length=1, max_length=60, pattern=NAME)
    """Letters, digits, `-`, `_` and dots; names the folder."""
    models: tuple[str, ...] = Field(min_length=1)
    """Models of the catalogue."""
    models_file: Path | None = None
    """Your own models, as `run --models-file` takes them."""
    tools_from: Path | None = None
    """A Python file of your own tools, as `run --tools-from` takes it. With `tools: on`, models may call them too."""
    script: Path | None = None
    """For the offline model `scripted`: a JSON file with the turns that it replays in each conversation."""
    data: Annotated[tuple[str, ...], BeforeValidator(lambda data: (data,) if isinstance(data, str) else data)] = Field(
        default=("demo",), min_length=1
    )
    """One source of samples, or a list of them, as `run --data` takes them: `demo`, `phantom:N:SEED`, `medvision:DIR`,
    a file, or `NAME:ARGUMENT` of an installed package (an argument that is a path beside the study file is taken from
    there). The filters below apply to every source; MedVision-only filters apply to MedVision data alone. Arms are
    compared within a source, and nothing is averaged over two."""
    tasks: tuple[TaskName, ...] | None = None
    """Only these tasks: `detection`, `size`, `angle`, `distance`, `area` (MedVision's masks, only where named)."""
    configs: tuple[str, ...] = ()
    """MedVision only: these configurations, with or without their split, or all that match a pattern such as
    `MSD_BoxSize_*`."""
    task_list: Path | None = None
    """MedVision only: the configurations in this JSON file, a task list of MedVision's package. Those of `configs` are
    added."""
    split: Literal["train", "test", "all"] | None = None
    """MedVision only: split to read. Default: that in which a name of `configs` ends, else `test`."""
    planes: tuple[Literal["axial", "coronal", "sagittal"], ...] = ()
    """Only these planes."""
    datasets: tuple[str, ...] = ()
    """Only these datasets."""
    limit: int | None = Field(default=None, ge=1)
    """At most this many samples of each task (of MedVision's data: of each configuration)."""
    limit_by: Literal["first", "subject"] = "first"
    """How `limit` chooses: the `first` samples, or samples drawn at random: one of each subject, then a second of each,
    and so on (`subject`)."""
    seed: int = 0
    """Random seed for `limit_by: subject`, `prompts`, `looks` and `picture: swapped`."""
    annotations: str | None = None
    """MedVision only: for each dataset, use its newest annotations up to this version. Default: its newest."""
    filters: bool = True
    """MedVision only: leave out what MedVision's own filters leave out: boxes with a side below 10 pixels, and
    structures of which a slice shows several."""
    subjects: Path | None = None
    """MedVision only: CSV file (columns `dataset`, `case`, `subject`) that says which cases show the same person."""
    reshape: tuple[int, int] | None = None
    """Height and width in pixels to which each image is resampled before it is shown, such as `[512, 512]`."""
    base: Arm = Arm()
    """The settings of all arms, unless an arm states others; also the arm `on` of the designs."""
    arms: dict[str, Arm] = Field(default={})
    """Arms of your own, by name."""
    designs: tuple[str, ...] = ()
    """Shorthands that add arms and contrasts; see below."""
    contrasts: tuple[Contrast, ...] = ()
    """Comparisons of your own."""
    only: dict[str, Only] = Field(default={})
    """For each model that is not asked everything, its `arms` and `tasks`, such as `{my-boxes: {tasks: [detection]}}`
    for a model that was fine-tuned on boxes."""
    cross: Cross = Cross()
    """Factors that all arms and contrasts are crossed with."""
    epochs: int = Field(default=1, ge=1, le=100)
    """How often each arm asks each sample; averaged within the sample, never counted as more samples."""
    prompts: int = Field(default=1, ge=1, le=WORDINGS)
    """In how many wordings each arm asks each sample, the same in all arms, averaged within the sample; drawn by `seed`
    from the nine of docs/prompts.md. With more than one, the same seed shuffles the order in which the tools are
    declared, for each sample and wording. 1 draws and shuffles nothing."""
    canaries: int = Field(default=0, ge=0, le=100)
    """This many samples of each task are asked three times more in the arm without tools, at the start, in the middle
    and at the end, to test whether the service changed meanwhile. They belong to no arm and enter no mean; 0: none."""
    protocol: str = "medvision-1.2"
    """Scoring rules: `medvision-1.2` or `paper-v1`."""
    metric: Annotated[Metric | dict[TaskName, Metric], BeforeValidator(_metrics)] = "loss"
    """The primary metric, or one for each task (`{size: log-ratio, detection: iou>0.5}`; tasks that are not named have
    `loss`): `loss` (that of the task), `relative`, `log-ratio` (lengths), `absolute`, `iou`, or MedVision's `iou>0.5`
    and `mre<0.1` as losses. See docs/report.md."""
    failures: Failures = "worst"
    """What a failure costs: as much as the worst answer, or `chance`, which is what the best constant answer of the
    other subjects costs: losses are then in units of it, up to 2."""
    reader: str | None = None
    """A language model of the catalogue (or of `models_file`) that reads all responses once they are asked, beside the
    rule of the protocol (docs/reading.md). It belongs to the plan: a reader that is named after the first call is never
    primary."""
    primary_reading: Literal["rule", "reader"] = "rule"
    """The reading that is scored for tests, findings and the report: the rule's, or that of `reader`."""
    looks: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(default=(), max_length=MOST_LOOKS)
    """When the study may be looked at before its end, in fractions of its subjects, such as `[0.5, 0.75, 1]`: at most
    four looks, none under 20 subjects, the last is 1. The study then asks subject by subject in random order (`seed`).
    Without looks there is a verdict at the planned end only."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """The level of the family of tests."""
    margin: float = Field(default=0.05, gt=0, lt=1)
    """Differences in the primary metric below this, in either direction, are negligible. If a test shows no difference
    but shows that it is negligible, its verdict is "equivalent"."""
    strata: tuple[Literal["dataset", "modality", "plane", "target size", "label group"], ...] = ()
    """Also test whether a difference is the same in all strata of these names, by Holm's method for each name."""
    model_pairs: tuple[tuple[str, str], ...] = ()
    """Pairs of `models`, such as a base model and its fine-tuned one. Also test whether each tested contrast has the
    same effect for both, over the same samples, by Holm's method."""
    limits: Limits = Limits()
    """Limits for one sample: `model_calls`, `tool_calls`, `seconds`, `tokens`, `broken_turns`."""
    budget: Budget = Budget()
    """Limits for the whole study: `usd`, `tokens`, `seconds` of one session. May change when the study goes on."""
    probe: bool = True
    """Before the first sample, check by two short requests for each model and set of tools that the declarations reach
    the model, as `run --probe` does. May change when the study goes on."""
    unchecked: tuple[str, ...] = ()
    """Rules of `data check` that are not applied to the samples, as `run --unchecked` has them: `pixel-size`,
    `shared-picture`. May change when the study goes on."""
    max_connections: int | None = Field(default=None, ge=1, le=100_000)
    """Samples in flight at once for each model, over all processes, replacing the model's own setting. May change when
    the study goes on."""
    processes: int | None = Field(default=None, ge=1, le=256)
    """Processes that ask the model, as in `run --processes`. May change when the study goes on."""
    engine: Literal["local", "ray"] = "local"
    """Where they are, as `run --engine` has it. May change when the study goes on."""
    address: str | None = None
    """The Ray cluster, as `run --address` has it. May change when the study goes on."""
    gpus: float | None = Field(default=None, ge=0, le=64)
    """GPUs of each worker, as `run --gpus` has them. May change when the study goes on."""

    @property
    def wordings(self) -> tuple[int | None, ...]:
        """The numbers of the wordings that are drawn; only None if the study draws none."""
        return draw_wordings(self.prompts, self.seed) if self.prompts > 1 else (None,)

    @model_validator(mode="before")
    @classmethod
    def _arms_start_from_base(cls, data: object) -> object:
        """Fill each arm with the settings of the base."""
        if not isinstance(data, dict):
            return data
        base, arms = data.get("base"), data.get("arms")
        if not isinstance(base, dict) or not isinstance(arms, dict):
            return data
        merged = {name: base | arm if isinstance(arm, dict) else arm for name, arm in arms.items()}
        return data | {"arms": merged}

    @model_validator(mode="after")
    def _reader_named(self) -> Self:
        if self.primary_reading == "reader" and self.reader is None:
            raise ValueError(
                "primary_reading: reader, but the key `reader` is missing; name there the model that reads the "
                "responses"
            )
        return self

    @model_validator(mode="after")
    def _some_models_alone(self) -> Self:
        for model in self.only:
            if model not in self.models:
                raise ValueError(
                    f"only: {model!r} is not among `models`; name one of them.{nearest(model, self.models)}"
                )
        few = [model for model, only in self.only.items() if only.tasks is not None]
        if len(few) == len(self.models):
            raise ValueError(
                "only: every model has `tasks` of its own; leave `tasks` out for one model at least, and choose the "
                "tasks of the study with the key `tasks`"
            )
        if few and self.looks:
            raise ValueError(
                f"only.{few[0]}.tasks: in a study with `looks` every model is asked all tasks; leave one of the two "
                "keys out"
            )
        return self

    @model_validator(mode="after")
    def _not_twice(self) -> Self:
        if len(set(self.models)) < len(self.models):
            raise ValueError(f"models: {_twice(self.models)!r} occurs twice; keep it once")
        if len(set(self.data)) < len(self.data):
            raise ValueError(f"data: {_twice(self.data)!r} occurs twice; keep it once")
        if self.looks and (list(self.looks) != sorted(set(self.looks)) or self.looks[-1] != 1):
            raise ValueError("looks: the fractions must rise, and the last must be 1, such as [0.5, 0.75, 1]")
        if not (self.arms or self.designs):
            raise ValueError(
                "the study has no arms, so nothing would be asked; give `designs` (such as [on-off]) or `arms`"
            )
        for key in ("prompt_file", "wording", "tool_order") if self.prompts > 1 else ():
            if any(getattr(arm, key) != Arm.model_fields[key].default for arm in (self.base, *self.arms.values())):
                raise ValueError(
                    f"prompts: with {self.prompts}, the study itself draws the wording and the order of the tools, "
                    f"but an arm or the base states `{key}`; leave out `prompts` or `{key}`"
                )
        for one, other in self.model_pairs:
            if one == other or not {one, other} <= set(self.models):
                raise ValueError(f"model_pairs: [{one}, {other}]: expected two different names of the key `models`")
        return self
