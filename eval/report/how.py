"""How the runs of a report were made, and how every sample ended: counts, and pairs of name and text."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.report.model import Chapter, Contrast, FirstPrompt, ReadBy, RunFacts
from medvision_agent.eval.scorer.protocol import scored_by
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.claims import no_claim_line
from medvision_agent.eval.tasks import TASKS
from medvision_agent.text import counted, printable

__all__ = ["UNFINISHED", "how", "run_facts"]


UNFINISHED = "not finished"
"""The ending shown for samples of a run that were not asked yet."""


def run_facts(arm: ArmIn) -> list[RunFacts]:
    """Return how each run of an arm was made and ended; prompt texts are given for the first run only."""
    names, epochs = list[str](), Counter[int]()
    for wording in arm.wordings:
        epochs[wording] += 1
        worded = f", wording {wording}" if arm.drawn else ""
        names.append(
            f"{arm.name}{worded}" + (f", epoch {epochs[wording]}" if len(arm.runs) > len(set(arm.wordings)) else "")
        )
    return [_facts(run, name, arm.name, asked=run is arm.first) for run, name in zip(arm.runs, names, strict=True)]


def _facts(run: Run, name: str, arm: str, *, asked: bool) -> RunFacts:
    outcomes = run.overview.outcomes
    endings = Counter({outcome.value: count for outcome, count in outcomes.items()})
    unfinished = len(run.samples) - len(run.records)
    if unfinished:
        endings[UNFINISHED] = unfinished
    failures = run.overview.failures
    failed = outcomes.total() - outcomes[Outcome.ANSWERED]
    return RunFacts(
        arm=name,
        of=arm,
        folder=str(run.folder),
        facts=tuple(run.facts),
        identity=run.identity,
        config=dict(run.config),
        tool_path=run.tool_path,
        endings=dict(endings.most_common()),
        infrastructure=dict(
            Counter({one.value: count for one, count in outcomes.items() if one.infrastructure}).most_common()
        ),
        details=tuple((sample, outcome.value, detail) for sample, outcome, detail in failures),
        more_details=failed - len(failures),
        failed_tries=run.overview.failed_tries,
        superseded=len(run.superseded),
        spent_usd=run.spent_usd,
        asked=tuple(_asked(run)) if asked else (),
    )


def _asked(run: Run) -> list[FirstPrompt]:
    found = []
    for task in TASKS:
        first = run.overview.first.get(task)
        if first is None:
            continue
        messages = read_trace(run.folder, first).get("messages", [])
        system, question = (_words(messages, kind) for kind in ("system", "human"))
        if system or question:
            found.append(FirstPrompt(task=task, sample=first, system=system, question=question))
    return found


def _words(messages: list[Mapping[str, Any]], kind: str) -> str:
    """Return the text of the first message of the type *kind*, with "[picture]" for images; empty if there is none."""
    content = next((message.get("content") for message in messages if message.get("type") == kind), "")
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(
        "[picture]" if block.get("type") == "image_url" else str(block.get("text", ""))
        for block in blocks
        if isinstance(block, Mapping)
    )


def how(chapter: Chapter) -> list[tuple[str, str]]:
    """Return pairs of a setting and its value: how all runs of a chapter were asked and scored.

    A setting that differs between runs lists each value.
    """
    identities = [run.identity for run in chapter.runs]
    paraphrases = [one.wording_sha256 for one in identities]
    facts = [
        ("Data", f"{chapter.source}. {chapter.note}"),
        (
            "Data version",
            ", ".join(chapter.data_versions) or "the source states none; the hash below is of its samples",
        ),
        ("Samples (SHA-256)", _each(one.samples_sha256 for one in identities)),
        ("Targets by convention", counted(chapter.conventions)),
        ("Marks of the ground truth", counted(chapter.marks)),
        ("Models", _each(one.model_name for one in identities)),
        ("Recipe", _each(one.recipe for one in identities)),
        ("Prompt form", _each(one.form for one in identities)),
        ("Coordinates", _each(one.model.get("frame") for one in identities)),
        ("Tool calls in text", _each(one.model.get("grammar") for one in identities)),
        ("Prompts (SHA-256)", _each(one.prompts_sha256 for one in identities)),
        ("Own prompts (SHA-256)", _each(one.prompt_file_sha256 for one in identities)),
        *([("Words", _each(map(_words_of, identities)))] if any(one.words_origin for one in identities) else []),
        ("Protocol", scored_by(chapter.protocol, [data.task for data in chapter.tasks])),
        *(("Second reader", _reader(one)) for one in chapter.readings),
        ("Version", _each(one.version for one in identities)),
        ("Code (SHA-256)", _each(one.code_sha256 for one in identities)),
        ("Libraries", _each(_libraries(run.config) for run in chapter.runs)),
        ("Level of tests", f"{chapter.alpha:g}, {chapter.family_size} declared"),
        *([("Paraphrases (SHA-256)", _each(paraphrases))] if any(paraphrases) else []),
        *([("Plan of the study (SHA-256)", chapter.plan_sha256)] if chapter.plan_sha256 else []),
    ]
    parity: dict[str, list[str]] = {}
    for one in chapter.contrasts:
        parity.setdefault(_may_differ(one), []).append(one.name)
    facts += [(f"Parity, {'; '.join(names)}", text) for text, names in parity.items()]
    facts += [(f"Not compared, {one.name}", "; ".join(one.differences)) for one in chapter.refused]
    return [(printable(name), printable(text)) for name, text in facts]


def _reader(one: ReadBy) -> str:
    primary = "the primary reading" if one.primary else "the rule is the primary reading"
    return f"{one.reader}; {primary}; words of its prompt (SHA-256): {one.prompt_sha256}"


def _words_of(identity: Identity) -> str:
    """Return whose wording a run's questions use: our own, or a package with the hash of its files."""
    origin = identity.words_origin
    return f"{identity.worded_by} (SHA-256 of its files {origin['sha256']})" if origin else identity.worded_by


def _may_differ(one: Contrast) -> str:
    names = ", ".join(one.card.varied)
    text = f"nothing refuses the comparison; the runs differ in {names or 'no setting'}; see the parity card"
    return f"{text}. {no_claim_line('; '.join(one.no_claim))}" if one.no_claim else text


def _libraries(config: Mapping[str, Any]) -> str | None:
    found = config.get("libraries")
    return ", ".join(f"{name} {version}" for name, version in found.items()) if isinstance(found, Mapping) else None


def _each(values: Iterable[object]) -> str:
    different = dict.fromkeys("not recorded" if value is None else str(value) for value in values)
    return "; ".join("none" if different == {"not recorded": None} else value for value in different)
