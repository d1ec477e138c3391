"""From settings to a finished run. ``prepare`` checks everything and writes nothing; ``execute`` does the work."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.checks import checked_as
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.grammars.registry import grammar_of
from medvision_agent.agent.models import Gemini, ModelConfig, Offline, Transformers
from medvision_agent.agent.models.catalogue import find, load_catalogue
from medvision_agent.agent.models.row import GRAMMARS
from medvision_agent.agent.opening import check_askable
from medvision_agent.agent.providers.factory import check_ready, open_model
from medvision_agent.agent.providers.gemini.replay import output_format
from medvision_agent.agent.words.prompt_file import with_prompt_file
from medvision_agent.agent.words.question import Wording
from medvision_agent.errors import ConfigError, ProviderError, StorageError
from medvision_agent.eval.asking.chosen import Chosen, choose
from medvision_agent.eval.asking.engine import HERE, Engine, LeasingEngine
from medvision_agent.eval.asking.lent import check_lent, with_lent
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pictures import Pictures, check_picture, pictures_for
from medvision_agent.eval.asking.pool import Job
from medvision_agent.eval.asking.probing import Probed, Probing, is_probed
from medvision_agent.eval.asking.recipe import Recipe, recipe_named, with_size_rule
from medvision_agent.eval.asking.runner import Watch, run_samples
from medvision_agent.eval.checking.finding import Checked
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Picked, Samples
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.settings.identity import FIRST_SET, Identity
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.provenance import code_sha256, libraries
from medvision_agent.eval.store.read import has_run, open_run, read_config, read_some
from medvision_agent.eval.store.refused import what_resuming_loses
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.write import RunStore
from medvision_agent.eval.tasks import AREA, TASKS
from medvision_agent.prompts.paraphrase import paraphrase_sha256
from medvision_agent.prompts.render import templates_sha256
from medvision_agent.text import plural
from medvision_agent.tools.registry import registry_of
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.frames import FRAMES, frame_named
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.png import encode_png, png_names
from medvision_agent.tools.view.slice import Slice
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.version import VERSION

__all__ = ["Prepared", "check_pictures", "execute", "job_of", "prepare", "views_of"]

_PARAGRAPHS = {"plain": "tools", "paraphrased": "tools_paraphrased", "must-use": "tools_must_use"}
CHECKED_PICTURES = 20
"""About how many images are compared with those sent before, when a run is resumed."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run before its first request: settings that were checked and resolved, with everything they name."""

    settings: Settings
    model: ModelConfig
    recipe: Recipe
    wording: Wording
    condition: Condition
    source: Source
    samples: Samples
    pictures: Pictures
    without_donor: int
    """Selected samples that are not asked, because no other subject's image can be swapped in."""
    identity: Identity
    listing: str | None = None
    """The hash that tells a resume that nothing changed; None where the source must be listed."""
    checked: Checked | None = None
    """The result of checking the samples before the first request; None where they were checked earlier."""

    def image_of(self, sample: Sample) -> Slice:
        """Return the image that is shown with the question about a sample; raises DataError if it cannot be read."""
        own = self.recipe.slice_of(self.source.load(sample), sample)
        return self.pictures.given(own, sample, self.source, self.recipe)[0]

    @property
    def parallel(self) -> int:
        """Samples in flight at once, over all processes; a row's own number is for each loaded copy of the model."""
        loaded = (self.settings.processes or 1) if isinstance(self.model, Transformers) else 1
        return self.settings.max_connections or loaded * self.model.max_connections

    def not_asked(self) -> list[str]:
        """Return a line with how many selected samples are not asked, and why; an empty list if all are asked."""
        count = self.without_donor
        why = "no other subject is asked the same question, whose image could be shown"
        return [f"{plural(count, 'sample')} left out: {why}"] if count else []

    def warnings(self) -> list[str]:
        """Return a line for each doubt about the samples, for those not asked, and for limits without an effect."""
        said = [*(self.checked.said() if self.checked else ()), *self.not_asked()]
        if self.settings.budget.tokens is None or not isinstance(self.model, Offline):
            return said
        return [
            *said,
            f"--max-tokens has no effect: model {self.settings.model!r} works offline and uses no tokens",
        ]

    @property
    def probed(self) -> bool:
        """Whether a probe before the first sample tests that the declarations of tools reach the model."""
        return self.settings.probe and is_probed(self.model, self.condition)

    def config(self) -> dict[str, Any]:
        """Return the resolved settings as JSON data, enough to repeat the run; it never holds a key of a provider."""
        info = self.source.info
        return {
            **self.settings.stored(),
            "model_name": self.settings.model,
            "model": self.model.model_dump(mode="json"),
            "condition": self.condition.name,
            "source": {
                "name": info.name,
                "note": info.note,
                "demonstration": info.demonstration,
                "origin": dict(info.origin) if info.origin else None,
            },
            **({"listing": self.listing} if self.listing else {}),
            "own_prompts": dict(self.wording.own),
            "without_donor": self.without_donor,
            **({"data_warnings": list(self.checked.said())} if self.checked else {}),
            "measures": {tool.name: asdict(tool.measuring) for tool in self.condition.tools if tool.code_sha256},
            "max_connections": self.parallel,
            "checked": checked_as(self.settings.model, self.model),
            "libraries": libraries(),
        }


def prepare(settings: Settings, *, asking: bool = True, chosen: Chosen | None = None) -> Prepared:
    """Return the settings, checked and resolved as far as possible before the first request.

    Raises a MedVisionAgentError that names the first setting, file or sample that is not possible. Where nothing will
    be asked (*asking* is false), the model need not be reachable. *chosen* is the result of ``choose``, for runs that
    share their samples.
    """
    model = settings.row or find(settings.model, load_catalogue(settings.models_file))
    model = _with_script(model, settings)
    if settings.frame is not None:
        model = model.model_copy(update={"frame": frame_named(settings.frame).name})
    model = _with_grammar(model, settings)
    template = _PARAGRAPHS[settings.paragraph]
    registry = registry_of(settings.tools_from, _month(settings), segmenter=settings.segmenter)
    settings = settings.but(tools_dated=registry.month)
    condition = Condition.parse(settings.tools, registry).shown(overlays=settings.overlays, paragraph=template)
    recipe = recipe_named(settings.recipe, Size(*settings.reshape) if settings.reshape else None)
    wording, prompt_file_sha256 = replace(recipe.wording(settings.form), number=settings.wording), None
    if settings.prompt_file is not None:
        if settings.wording:
            raise ConfigError(
                f"--wording {settings.wording} is a paraphrase of the shipped prompts, and --prompt-file has your own: "
                "give one of the two"
            )
        questions = [task.template for task in TASKS.values()]
        wording, prompt_file_sha256 = with_prompt_file(wording, settings.prompt_file, questions)
    wording = replace(_with_spacing(wording, settings), display=settings.display)
    if condition.made and chosen is None:  # only a study has several runs of the same samples
        raise ConfigError(
            f"--tools {condition.name}: this condition is made from the answers of an arm `on` to the same samples, "
            f"which only a study has; write `designs: ['{condition.name}']` in a study file, and start it with: "
            "medvision-agent ablate FILE (docs/studies.md)"
        )
    check_askable(settings.model, model, condition, recipe.name, wording)
    check_lent(settings, model, condition)
    if condition.again > settings.limits.model_calls - 2:
        needed = condition.again + 2
        raise ConfigError(
            f"--tools {condition.name} needs --max-model-calls {needed} or more, because every check is a model call"
        )
    if asking:
        check_ready(model)
    if settings.budget.usd is not None and isinstance(model, Offline):
        raise ConfigError(f"--max-cost: model {settings.model!r} works offline and costs nothing; leave the limit out")
    if settings.budget.usd is not None and model.prices is None:
        raise ConfigError(
            f"--max-cost: model {settings.model!r} has no prices, so its cost is unknown; add the key `prices` to its "
            "entry in a file for --models-file, or leave the limit out"
        )
    chosen = chosen or choose(settings)
    source, samples = chosen.source, chosen.samples
    check_picture(settings.picture, settings.model, model, condition)
    pictures = pictures_for(settings.picture, samples, settings.selection.seed)
    asked = samples
    if pictures.kind == "swapped":
        asked = Picked(samples, [row for row, sample in enumerate(samples) if sample.id in pictures.donors])
    _check_truth(condition, samples)
    model = with_size_rule(settings.model, model, samples, condition, wording)
    wording, words = with_lent(wording, settings, model, recipe, asked)
    areas = samples.asks(AREA.name)
    found = Identity(
        version=VERSION,
        code_sha256=code_sha256(),
        model_name=settings.model,
        model=model.identity(),
        recipe=recipe.name,
        form=wording.form,
        states_spacing=wording.states_spacing,
        display=wording.display,
        display_sha256=_hash([wording.displayed]) if wording.displayed else None,
        wording=wording.number,
        wording_sha256=paraphrase_sha256(wording.number, areas=areas),
        tool_order=settings.tool_order,
        picture=pictures.kind,
        donors_sha256=pictures.sha256,
        prompt_file_sha256=prompt_file_sha256,
        reshape=settings.reshape,
        output_format=_output_format(model, condition),
        prompts_sha256=templates_sha256(areas=areas),
        limits=settings.limits,
        sample_ids_sha256=samples.hashes.ids,
        samples_sha256=samples.hashes.samples,
        volumes_sha256=chosen.volumes_sha256(),
        source_origin=chosen.origin,
        **words,
        **condition.identity(grammar_of(model), FRAMES[model.frame]),
    )
    left_out = len(samples) - len(asked)
    return Prepared(
        settings,
        model,
        recipe,
        wording,
        condition,
        source,
        asked,
        pictures,
        left_out,
        found,
        chosen.listing,
        chosen.checked,
    )


def _check_truth(condition: Condition, samples: Samples) -> None:
    """Raise ConfigError if tools return the ground truth and samples lack the outline that they need."""
    if condition.told_truth and (lacking := samples.summed.without_outline):
        raise ConfigError(
            f"--tools {condition.name}: its tools return the true outline, but the ground truth of "
            f"{plural(sum(lacking.values()), 'sample')} gives none ({', '.join(lacking)}; the first is "
            f"{samples.summed.first_without!r}). Samples of detection have an outline, and those of size if the "
            "source states the ends of the axes; choose such samples, for example with --task detection"
        )


def _month(settings: Settings) -> str | None:
    """Return the chosen month of the set of tools, or that of the run to be resumed; None: the newest."""
    if settings.tools_dated is None and settings.resume and has_run(settings.out):
        return str(read_config(settings.out).get("tools_dated", FIRST_SET))
    return settings.tools_dated


def _hash(parts: Iterable[str]) -> str:
    digest = sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _output_format(model: ModelConfig, condition: Condition) -> str | None:
    """Return the form of replies in a replay of the published experiment; None for other models."""
    if not isinstance(model, Gemini) or model.replay is None:
        return None
    return output_format(model.replay, code=condition.provider_code)


def _with_spacing(wording: Wording, settings: Settings) -> Wording:
    """Return *wording*, without pixel sizes if the settings say so; ConfigError where that is impossible."""
    if wording.own and (settings.spacing == "tool" or settings.paragraph != "plain"):
        what = "spacing: tool" if settings.spacing == "tool" else f"paragraph: {settings.paragraph}"
        raise ConfigError(
            f"{what} changes the shipped prompts, and a prompt file replaces them; leave one out, or write what you "
            "want to change into the prompt file"
        )
    if settings.spacing == "tool" and wording.form == "cot":
        raise ConfigError(
            "spacing: tool leaves the pixel size out of the prompt, from which the steps of form: cot take it; use "
            "form: direct, or spacing: prompt"
        )
    return replace(wording, states_spacing=settings.spacing == "prompt")


def _with_grammar(model: ModelConfig, settings: Settings) -> ModelConfig:
    """Return the model with the chosen grammar for tool calls; ConfigError if it calls no tools in text."""
    if settings.grammar is None:
        return model
    if model.text_grammar is None:
        raise ConfigError(
            f"--grammar {settings.grammar}: model {settings.model!r} calls tools by the service's own function "
            "calling, and a grammar is for calls in text; leave --grammar out, or set `tool_calling: text` in the "
            "model's entry"
        )
    return model.model_copy(update={"grammar": GRAMMARS.offer(settings.grammar).name})


def _with_script(model: ModelConfig, settings: Settings) -> ModelConfig:
    """Return the model, the scripted one with its script; ConfigError if that is missing or does not fit."""
    scripted = isinstance(model, Offline) and model.name == "scripted"
    if settings.script is not None and not scripted:
        raise ConfigError(
            f"--script: only the model 'scripted' replays a script, and {settings.model!r} was chosen; leave --script "
            "out, or use --model scripted"
        )
    if not isinstance(model, Offline) or not scripted:
        return model
    script = settings.script or model.script
    if script is None:
        raise ConfigError(f"model {settings.model!r} replays a script: give a JSON file of turns with --script FILE")
    from medvision_agent.agent.policies.scripted import read_script  # noqa: PLC0415 - for this model only

    read_script(Path(script))
    return model.model_copy(update={"script": script})


def job_of(prepared: Prepared, chat: Chat) -> Job:
    """Return the job of a prepared run: how each sample is asked of the opened model *chat*."""
    return Job(
        source=prepared.source,
        recipe=prepared.recipe,
        pictures=prepared.pictures,
        wording=prepared.wording,
        condition=prepared.condition,
        chat=chat,
        limits=prepared.settings.limits,
        settings=prepared.settings.but(row=prepared.model),
        identity=prepared.identity,
        tool_order=prepared.settings.tool_order,
    )


def check_pictures(prepared: Prepared, run: Run) -> None:
    """Raise StorageError if an image would be sent differently on resume than it was sent before.

    The images of at most ``CHECKED_PICTURES`` finished samples are compared, spread over the run.
    """
    for record in read_some(run.folder, CHECKED_PICTURES) if run.identity.picture != "none" else ():
        views = views_of(prepared, prepared.image_of(record.sample))
        png = encode_png(shown(views, views.whole))
        if record.own_v0_sha256 not in png_names(png):
            raise StorageError(
                f"{run.folder} cannot be resumed: the image of sample {record.sample.id!r} is no longer the one that "
                "was sent; restore the images, or give another --out"
            )


def views_of(prepared: Prepared, image: Slice) -> ViewSet:
    """Return the views of *image* as they are made for the model of a run."""
    sees, frame = prepared.recipe.perceives(prepared.model.sees), FRAMES[prepared.model.frame]
    return ViewSet(image, sees, frame, prepared.wording.display)


async def execute(
    prepared: Prepared, *, watch: Watch, stop: asyncio.Event, engine: Engine | LeasingEngine = HERE
) -> Run:
    """Create or resume the run, have *engine* ask the pending samples, and return the run as stored.

    No sample is begun once *stop* is set. Raises StorageError before the first request if the folder cannot be used,
    ProviderError (after storing what was in flight) if the provider refuses to work, ConfigError if the model turns out
    unfit or does not get the declarations of its tools; a new run without a record is then removed.
    """
    settings = prepared.settings
    if settings.resume:
        store = RunStore.resume(settings.out, prepared.identity)
    else:
        store = RunStore.create(settings.out, prepared.samples, prepared.identity, prepared.config())
    with store:
        run = store.run
        if settings.resume:
            check_pictures(prepared, run)
        watch.on_start(run)
        for refused in store.refusals():
            watch.on_note(what_resuming_loses(store.folder, refused))
        config = prepared.model.model_copy(update={"max_connections": prepared.parallel})
        meter = Meter(settings.budget, run.paid if settings.budget.of_usage else (), run.probe)
        try:
            code, elsewhere = prepared.condition.provider_code, settings.engine != "local"
            async with open_model(config, provider_code=code, elsewhere=elsewhere) as chat:
                job = job_of(prepared, chat)
                if run.pending():
                    probed = Probed(job, store, run.identity, run.probe, wanted=settings.probe)
                    await Probing([], meter, watch, stop).settle(probed)
                meter.start()
                await run_samples(
                    job, store, run, parallel=prepared.parallel, watch=watch, stop=stop, meter=meter, engine=engine
                )
        except (ProviderError, ConfigError):
            store.discard_if_empty()
            raise
    return open_run(settings.out)
