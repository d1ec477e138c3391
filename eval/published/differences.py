"""The differences between a run and a version of the published results, one line each.

Contract: the list is never empty: the published conditions are not fully known, so no run can repeat them.
"""

from collections.abc import Iterator

from medvision_agent.eval.published.versions import Version
from medvision_agent.eval.results.export import is_theirs
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.run import Run
from medvision_agent.tools.view.frames import MEDVISION

__all__ = ["differences"]


def differences(run: Run, protocol: Protocol, version: Version) -> list[str]:
    """Return how *run*, scored by *protocol*, differs from the published results of *version*, one line each.

    The lines on how samples were asked and scored come first. There is always at least one line.
    """
    return [
        *_asking(run, protocol, version),
        *_samples(run, version),
        f"metrics there: {version.about.metrics}",
        f"training there: {version.about.fitted}",
    ]


def _asking(run: Run, protocol: Protocol, version: Version) -> Iterator[str]:
    identity = run.identity
    recipe, form, reshape = identity.recipe, identity.form, identity.reshape
    rules = version.protocol
    if protocol.name != rules:
        yield f"scoring: {protocol.name} here, {rules} there (--protocol {rules} applies it)"
    if recipe != version.recipe or form != version.form or reshape:
        size = f", reshaped to {reshape[0]} x {reshape[1]}" if reshape else ""
        yield f"recipe: {recipe}, form {form}{size} here; {version.recipe}, form {version.form} there"
    own = identity.prompt_file_sha256
    words = f"a prompt file of your own ({own[:12]}), unknown to this program," if own else "this program's own"
    if identity.words_origin:
        words = f"MedVision's ({identity.worded_by})"
    yield f"prompt wording: {words} here; MedVision's there{', version not stated' if identity.words_origin else ''}"
    if (frame := identity.model.get("frame", MEDVISION.name)) != MEDVISION.name:
        yield f"coordinate convention: {frame} here (boxes are converted); MedVision's own there"
    own_code = "the provider's code execution" if identity.provider_code else "none"
    tools = ", ".join(identity.tools) or own_code
    yield f"tools: {tools} here; there: {version.about.tools}"
    limits = ", ".join(f"{name} {value:g}" for name, value in identity.limits if value is not None)
    yield f"limits of a sample: {limits} here; others there, not stated"


def _samples(run: Run, version: Version) -> Iterator[str]:
    ended = scored = 0
    people, names, splits, annotations = set[str](), set[str](), set[str](), set[str]()
    for record in streamed(run.records):
        if record.outcome.infrastructure:
            continue
        ended += 1
        sample = record.sample
        if is_theirs(sample):
            scored += 1
            people.add(sample.subject)
            names.add(sample.dataset)
            if sample.medvision:
                splits.add(sample.medvision.config.rpartition("_")[2])
                annotations.add(sample.medvision.annotation_version)
    chosen = run.config.get("selection", {}).get("limit")
    limit = f", at most {chosen} of each task" if chosen else ""
    datasets = ", ".join(sorted(names))
    yield f"samples: {scored} of {len(people)} subjects in {datasets}{limit} here; there: {version.about.samples}"
    if scored < ended:
        count = ended - scored
        yield f"samples that are in no figure: {count} of the task area, which MedVision does not score"
    if ended < len(run.samples):
        yield f"samples left out here: {len(run.samples) - ended} unfinished or ended in infrastructure failures"
    if splits != {"Test"}:
        yield f"split: {', '.join(sorted(splits))} here; Test there"
    if run.config.get("reading", {}).get("filters") is False:
        yield "filters: samples that MedVision filters out are among these here"
    releases = sorted(annotations)
    same = " (the same release)" if releases == [version.annotations] else ""
    yield f"annotation version: {', '.join(releases)} here; there: {version.about.annotations}{same}"
