"""Counts over the pairs of answers of two runs, from which the parity card is made.

Contract: no answer is kept. The counts of several epochs add up, except those of duplicates: one epoch has all ids.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from medvision_agent.agent.endings.usage import Prices
from medvision_agent.eval.compare.differences import same_question
from medvision_agent.eval.compare.joined import Pair
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TaskName

__all__ = ["DAY", "Duplicates", "PairFacts", "one_name", "stored_prices"]

DAY = timedelta(days=1)


def one_name(a: tuple[str, ...] | list[str], b: tuple[str, ...] | list[str]) -> bool:
    """Return whether each side states exactly one value, and both the same one."""
    return len(a) == 1 and a == b


def stored_prices(run: Run) -> Prices | None:
    """Return the prices from which the costs of a run were computed; None if its model's row states no prices."""
    stored = run.config.get("model", {}).get("prices")
    return None if stored is None else Prices.model_validate(stored)


class Duplicates:
    """The samples that repeat an earlier sample under another id: the same image, question and ground truth.

    The ground truth is compared too, because in arms with a blank image all images are the same.
    """

    def __init__(self) -> None:
        self.found = list[tuple[str, str]]()
        """The ids of each duplicate and of the first such sample."""
        self.other_subject = 0
        """Number of duplicates under another subject."""
        self._seen = dict[bytes, tuple[str, str]]()

    def add(self, pair: Pair) -> None:
        """Add a pair whose two images both have a hash; its sample is noted if it repeats an earlier one."""
        sample = pair[0].sample
        asked = sample.task, sample.label, sample.landmarks, sample.measurement, sample.pixel_size, sample.target
        key = blake2b(repr((pair[0].v0_sha256, pair[1].v0_sha256, asked)).encode(), digest_size=16).digest()
        first, subject = self._seen.setdefault(key, (sample.id, sample.subject))
        if first != sample.id:
            self.found.append((sample.id, first))
            self.other_subject += subject != sample.subject

    def close(self) -> None:
        """Free the memory for what was seen; no pair follows."""
        self._seen.clear()


class PairFacts:
    """The counts over the scored pairs of two runs; ``add`` takes the pairs one by one."""

    def __init__(self, a: Run, b: Run) -> None:
        self.counts = Counter[str]()
        """Number of pairs by what holds for them (see ``add``)."""
        self.limited = Counter[tuple[TaskName, int]]()
        """Number of conversations that a limit ended, by task and arm (0 or 1)."""
        self.tasks = set[TaskName]()
        self.fingerprints = set[str](), set[str]()
        """All fingerprints of each arm."""
        self.furthest = timedelta(0)
        """Longest time between the two answers of a pair."""
        self.duplicates = Duplicates()
        self._unsealed, self._prices = a.unsealed | b.unsealed, (stored_prices(a), stored_prices(b))

    def add(self, pair: Pair) -> None:
        """Add a pair of scored answers to every count."""
        a, b = pair
        self.counts.update(
            {
                "pairs": 1,
                "question": same_question(pair),
                "version": one_name(a.model_versions, b.model_versions),
                "fingerprint": one_name(a.fingerprints, b.fingerprints),
                "no fingerprint": not (a.fingerprints or b.fingerprints),
                "sealed": a.sample.id not in self._unsealed,
                "free": not (a.limited or b.limited),
            }
        )
        for marks, record in zip(self.fingerprints, pair, strict=True):
            marks.update(record.fingerprints)
        task = a.sample.task
        self.tasks.add(task)
        self.limited.update({(task, 0): a.limited, (task, 1): b.limited})
        self._add_sent(a, b)
        self._add_time(a, b)
        self._add_prices(a, b)

    def _add_sent(self, a: Record, b: Record) -> None:
        """Count whether the prompt and the image sent are equal, by their hashes.

        With an enlarged image, also count whether they would have been equal without enlarging it.
        """
        for name, one, two in (("prompt", a.prompt_sha256, b.prompt_sha256), ("picture", a.v0_sha256, b.v0_sha256)):
            if one == two:
                self.counts[name if one else f"no {name}"] += 1
        if a.v0_sha256 and b.v0_sha256:
            self.counts["hashed"] += 1
            self.duplicates.add((a, b))
        if a.enlarged or b.enlarged:
            self.counts["enlarged"] += 1
            if (a.prompt_sha256, a.v0_sha256) != (b.prompt_sha256, b.v0_sha256):
                self.counts["own prompt"] += a.own_prompt_sha256 == b.own_prompt_sha256
                self.counts["own picture"] += a.own_v0_sha256 == b.own_v0_sha256

    def _add_time(self, a: Record, b: Record) -> None:
        one, two = _moment(a), _moment(b)
        if one and two:
            apart = abs(one - two)
            self.counts["timed"] += 1
            self.counts["days apart"] += apart >= DAY
            self.furthest = max(self.furthest, apart)

    def _add_prices(self, a: Record, b: Record) -> None:
        one, two = self._prices
        if one is not None and two is not None:
            same = one == two and _priced(a, one) and _priced(b, two)
            self.counts["prices" if same else "other prices"] += 1


def _moment(record: Record) -> datetime | None:
    """Return the time at which an answer was asked; None if it is missing or no valid date.

    A time without a zone is taken as UTC.
    """
    try:
        moment = datetime.fromisoformat(record.asked_at)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _priced(record: Record, prices: Prices) -> bool:
    due = record.usage.cost_usd(prices)
    return record.cost_usd is not None and due is not None and abs(record.cost_usd - due) <= 1e-9 * (1 + due)
