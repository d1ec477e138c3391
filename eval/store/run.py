"""A stored run after reading: its identity, its settings, its samples and their latest records."""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.agent.made import MADE, MOST_DRAWS
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.overview import Overview
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.seal import Tally
from medvision_agent.eval.store.tool_path import ToolPath
from medvision_agent.text import plural
from medvision_agent.tools.view.frames import MEDVISION

__all__ = ["Run"]

_SHOWN = 5
"""Largest number of fingerprints named: a server may send another one with every reply."""
_NAMES = 200
"""Largest number of letters of served versions, as a stored check keeps them."""


@dataclass(frozen=True, eq=False)
class Run:
    """A stored run. ``records`` holds the latest attempt of every finished sample, in the order of ``samples``."""

    folder: Path
    identity: Identity
    """The fields that define the run: two runs with equal identities asked the same questions in the same way."""
    config: Mapping[str, Any]
    """The resolved settings, enough to run it again."""
    samples: Sequence[Sample]
    records: Sequence[Record]
    superseded: Sequence[Record] = ()
    """Earlier attempts of these samples: they count only in the cost."""
    draws: Sequence[Record] = ()
    """Answers drawn for the samples, in order; for a finished sample, its record includes their effort."""
    probe: ToolProbe | None = None
    """Whether the declarations of tools reach the model; None where none are declared, or it was not tested (0.1.0)."""
    unsealed: frozenset[str] = frozenset()
    """The samples whose records have no hash, because an older version stored them."""
    libraries: Sequence[Mapping[str, str]] = ({},)
    """The library versions with which the run was begun, and those of each resume under other versions, in order."""
    tally: Tally | None = None
    """The tally of its hashes; None for a run of a version that did not seal."""
    left: Sequence[tuple[Sample, int]] | None = None
    """The result of ``pending``, read without the records; None where it is derived from them."""

    def each(self) -> Iterator[Record]:
        """Yield the latest records one at a time, without keeping them.

        A first complete pass also fills ``overview``.
        """
        if "overview" in self.__dict__:
            yield from streamed(self.records)
            return
        overview = Overview()
        for record in streamed(self.records):
            overview.add(record)
            yield record
        self.__dict__.setdefault("overview", overview)

    @cached_property
    def overview(self) -> Overview:
        """Counts, sums and distinct values over the latest records; the first use reads all of them."""
        overview = Overview()
        deque(map(overview.add, streamed(self.records)), maxlen=0)
        return overview

    @property
    def source_note(self) -> str:
        """The note about the data that every summary must state."""
        return str(self.config["source"]["note"])

    @property
    def tool_path(self) -> ToolPath | None:
        """Counts of tools that were declared, called, answered and shown; None without tools."""
        return self.overview.tools.path if self.identity.tools or self.identity.provider_code else None

    @property
    def drawn(self) -> str | None:
        """A sentence on how many answers were drawn and how many samples got the maximum; None where none was drawn."""
        numbers = self.overview.draws
        if not numbers:
            return None
        drawn = sum(number * samples for number, samples in numbers.items())
        most = plural(numbers[MOST_DRAWS], "sample")
        each = f"{drawn / numbers.total():.1f} a sample"
        return f"{plural(drawn, 'answer')} drawn, {each}; {most} got {MOST_DRAWS}, the most"

    @property
    def enlarged(self) -> str | None:
        """A sentence on how much images were enlarged, and how many could not be.

        None if no image was to be enlarged.
        """
        found = self.overview.enlarged
        if not found.samples:
            return None
        own, given, allowed = (float(total) / found.samples for total in (found.own, found.given, found.allowed))
        kept = plural(found.kept, "sample")
        return (
            f"image enlarged to {given / own:.2f} times its pixels, of {allowed / own:.2f} times that `on` was shown "
            f"(means, as the model sees them); {kept} of {found.samples} not enlarged, because the model would see it "
            "no larger"
        )

    @property
    def unlike_check(self) -> str | None:
        """A warning that the served model version differs from the last check before the run; None if equal or unknown.

        Names that servers give themselves are foreign text, so they are cut.
        """
        checked = self.config.get("checked") or {}
        before = str(checked.get("served", ""))
        now = ", ".join(sorted(self.overview.versions))
        if not before or not now or set(now.split(", ")) <= set(before.split(", ")):
            return None
        name = self.identity.model_name
        return (
            f"model {name} was served as {now[:_NAMES]} in this run, and as {before[:_NAMES]} in its check on "
            f"{checked.get('on')}; check it again with: medvision-agent models check {name}"
        )

    @property
    def facts(self) -> list[str]:
        """Header lines of every summary: the model, the settings, and how many samples are finished."""
        identity = self.identity
        own_code = "the provider's code execution" if identity.provider_code else "none"
        tools = ", ".join(identity.tools) or MADE.get(identity.condition, own_code)
        if identity.tool_variants:
            tools = ", ".join(_variant(name, identity.tool_variants.get(name)) for name in identity.tools)
        if identity.tool_set:
            tools = f"on@{identity.tool_set} ({tools})"
        versions = sorted(self.overview.versions)
        finished = f"{len(self.records)} of {len(self.samples)} samples finished"
        lines = [
            f"model {identity.model_name} ({', '.join(versions) or 'version not reported'}), tools: {tools}",
            f"data {self.config['source']['name']}, recipe {self._asked()}, {finished}",
        ]
        if dates := self._dates():
            lines.append(dates)
        lines += [str(one) for one in (self.probe, self.tool_path, self.drawn, self.enlarged) if one is not None]
        lines += [self.unlike_check] if self.unlike_check else []
        lines += self._swapped()
        if identity.model.get("replay"):
            lines.append(self._replayed())
        if identity.resumed:
            made = ", then ".join(code[:20] for code in (identity.code, *identity.resumed))
            lines.append(f"RESUMED UNDER OTHER CODE (version and hash): {made}")
        if self.superseded:
            lines.append(self._spent())
        if crashed := ", ".join(self.overview.crashed):
            lines.append(f"SET ASIDE, because the program died while asking each of them alone: {crashed}")
        if identity.model.get("provider") == "offline" and identity.model["name"] == "oracle":
            lines.append("THE ORACLE IS TOLD THE GROUND TRUTH: these figures show the tool chain's own error.")
        if identity.told_truth:
            told = " and ".join(identity.told_truth)
            lines.append(f"TOLD THE GROUND TRUTH: {told}. No tool has such results; they show what a better one does.")
        return lines

    @property
    def paid(self) -> Iterator[Record]:
        """All paid records, each request once: the latest attempts, earlier attempts, and drawn answers."""
        yield from (record for record in streamed(self.records) if not record.draws)
        yield from streamed(self.superseded)
        yield from streamed(self.draws)

    @property
    def spent_usd(self) -> float | None:
        """The cost in US dollars of all attempts, earlier ones and the probe of tools included.

        None where no cost is known.
        """
        beside = _costs(chain(streamed(self.superseded), streamed(self.draws)))
        return _dollars(chain(self.overview.costs, beside, _costs([self.probe] if self.probe else [])))

    def _dates(self) -> str:
        """Return a line with the days of the run and the server's fingerprints; empty if the days are unknown."""
        days, marks = sorted(self.overview.days), sorted(self.overview.fingerprints)
        if not days:
            return ""
        line = f"asked on {days[0]} (UTC)" if days[0] == days[-1] else f"asked from {days[0]} to {days[-1]} (UTC)"
        more = f" and {len(marks) - _SHOWN} more" if len(marks) > _SHOWN else ""
        return line + (f", server fingerprints: {', '.join(marks[:_SHOWN])}{more}" if marks else "")

    def _spent(self) -> str:
        """Return a line with the cost of earlier attempts, which no other figure includes, and the cost of all."""
        tokens = sum(record.usage.input + record.usage.output for record in streamed(self.superseded))
        earlier, total = _dollars(_costs(streamed(self.superseded))), self.spent_usd
        cost = "" if total is None else f", {earlier or 0:.4f} US dollars; spent in all: {total:.4f} US dollars"
        return f"attempts superseded by later ones, paid too: {len(self.superseded)} with {tokens:,} tokens{cost}"

    def _swapped(self) -> list[str]:
        """Return a list with one line about swapped images and samples left out; empty if images are not swapped."""
        if self.identity.picture != "swapped":
            return []
        without = int(self.config.get("without_donor", 0))
        left_out = f"; {plural(without, 'sample')} without such a subject left out" if without else ""
        return [f"each question stands with the image of another subject who is asked the same{left_out}"]

    def _replayed(self) -> str:
        """Return a line about the origin of the words in a replay of the published experiment."""
        tasks = {sample.task for sample in streamed(self.samples)}
        ours, sha256 = sorted(tasks - set(self.config.get("own_prompts", {}))), self.identity.prompt_file_sha256
        words = "a replica in our own words, not the published prompt"
        if self.identity.words_origin:
            words = f"in the words of {self.identity.worded_by}, a release after the published experiment"
        elif sha256 and len(ours) < len(tasks):
            words = f"in the words of the prompt file {sha256[:12]}, which this program cannot tell from the original"
            words += f"; {' and '.join(ours)} in our own words, not the published prompt" if ours else ""
        form = self.identity.output_format
        return f"settings of {self.identity.model['replay']}, output format {form}: {words}"

    def _asked(self) -> str:
        """Return the name of the recipe with every setting that is not its default."""
        identity = self.identity
        parts = [identity.recipe, *([f"form {identity.form}"] if identity.form != "direct" else [])]
        if identity.reshape:
            parts.append("reshaped to {} x {}".format(*identity.reshape))
        if (frame := identity.model.get("frame", MEDVISION.name)) != MEDVISION.name:
            read = (
                " (boxes read by our own rule)" if any(sample.asks.is_box for sample in streamed(self.samples)) else ""
            )
            parts.append(f"coordinates {frame}{read}")
        if (grammar := identity.model.get("grammar", "plain")) != "plain":
            parts.append(f"tool calls in {grammar}")
        if not identity.states_spacing:
            parts.append("pixel size by tools only")
        if identity.display != "plain":
            parts.append(f"display {identity.display}")
        if identity.picture != "own":
            parts.append(f"picture {identity.picture}")
        if identity.overlays is False:
            parts.append("no overlays")
        return " ".join([*parts, *self._worded()])

    def _worded(self) -> Iterator[str]:
        """Yield, in words, the settings of the prompt that are not the default."""
        identity = self.identity
        if identity.paragraph not in {None, "tools"}:
            yield f"tool paragraph {identity.paragraph}"
        if identity.wording:
            yield f"wording {identity.wording} (a paraphrase)"
        if identity.words_origin:
            yield f"in the words of {identity.worded_by}"
        if identity.tool_order is not None:
            yield f"tools shuffled by seed {identity.tool_order}"
        if identity.prompt_file_sha256:
            yield f"own prompts {identity.prompt_file_sha256[:12]}"

    def pending(self) -> Sequence[tuple[Sample, int]]:
        """Return the samples still to be asked, each with the number of its next attempt (from 1).

        These are the samples without a record, and those whose latest attempt ended in an infrastructure failure,
        except samples that made the program die.
        """
        if self.left is not None:
            return self.left
        latest = {record.sample.id: (record.attempt, record.outcome) for record in streamed(self.records)}
        drawn = {record.sample.id: record.attempt for record in streamed(self.draws)}
        todo = []
        for sample in streamed(self.samples):
            attempt, outcome = latest.get(sample.id, (0, None))
            if outcome is None or (outcome.infrastructure and outcome is not Outcome.CRASHED):
                todo.append((sample, max(drawn.get(sample.id, 0), attempt) + 1))
        return todo


def _variant(name: str, stated: Mapping[str, str] | None) -> str:
    """Return a tool's name with its variant, and with the name of its segmentation server or package.

    *stated* are the variant's facts; None for a tool without variants.
    """
    if not stated:
        return name
    own = " ".join(stated[key] for key in ("name", "package", "version") if key in stated)
    return f"{name}@{stated['variant']}{f' ({own})' if own else ''}"


def _costs(records: Iterable[Record | ToolProbe]) -> Iterator[float]:
    return (record.cost_usd for record in records if record.cost_usd is not None)


def _dollars(costs: Iterable[float]) -> float | None:
    known = array("d", costs)
    return sum(known) if known else None
