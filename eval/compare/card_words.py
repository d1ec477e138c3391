"""The texts of a parity card. Contract: a sentence is written only for a count above 0."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from medvision_agent.eval.compare.card import COLUMNS, Card, Point
from medvision_agent.eval.compare.drift import MOMENTS, Drift
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural

__all__ = ["WORDS", "Words", "card_json", "card_lines", "card_rows", "doubts", "limits_line", "study_lines"]


class Words(NamedTuple):
    """The words for one point of a parity card: what should be the same, and a sentence for each of its three states.

    ``{count}`` in a sentence stands for the number in that state, with the noun of ``counted`` ("3 of 20 pairs"). An
    empty sentence belongs to a state that cannot occur at this point.
    """

    what: str
    proven: str
    assumed: str = ""
    unknowable: str = ""
    counted: str = "pair"


_HASHES = "the hashes stored with the answers are equal in {count}"
_NO_HASH = "no hash is stored with the answers of {count}"
_NOT_ONE = "the replies of {count} do not name one version"
WORDS: dict[str, Words] = {
    "settings": Words("all other settings and the code", "{count} of the stored identities are equal", counted="field"),
    "question": Words("question and ground truth", "the stored samples are equal in {count}"),
    "prompt": Words("prompt without its tool paragraph", _HASHES, _NO_HASH),
    "picture": Words("image as sent", _HASHES, _NO_HASH),
    "own prompt": Words(
        "prompt, but for the sizes that it states of the enlarged image",
        "the hashes of the prompts that state the sizes of the image before it was enlarged are equal in {count}",
    ),
    "own picture": Words(
        "image, but for its enlargement",
        "the hashes of the image before it was enlarged are equal in {count}; what was sent is another image",
    ),
    "version": Words("served version", "all replies of {count} name one version", _NOT_ONE),
    "weights": Words(
        "weights behind that version",
        "the model of {count} ran in this process; its version names its checkpoint or our code",
        _NOT_ONE,
        "a server shows a name and not the weights behind it, so nobody can tell for {count}",
    ),
    "fingerprint": Words(
        "fingerprint of the server",
        "all replies of {count} carry one and the same fingerprint",
        "the replies of {count} do not carry one and the same fingerprint",
        "the replies of {count} carry no fingerprint",
    ),
    "date": Words(
        "time of asking (within a day)",
        "the stored dates of {count} lie less than a day apart",
        "the stored dates of {count} lie a day or more apart, and a change of the service in between would not show",
        "no dates are stored with the answers of {count}",
    ),
    "libraries": Words(
        "versions of libraries",
        "{count} are equal in both arms",
        "{count} are not equal",
        "{count} are not stored in both arms",
        counted="version",
    ),
    "prices": Words(
        "prices",
        "the costs of {count} are their tokens at the same stored prices",
        "the costs of {count} are not made by the same prices, so that a difference in cost is also one of prices",
        "no prices are stored with both answers of {count}",
    ),
    "seal": Words(
        "answers as stored",
        "the hashes of the records hold in {count}; they find damage and careless edits, but no forger",
        "{count} are not sealed, because an older version stored no hashes",
    ),
    "duplicates": Words(
        "each question once",
        "{count} repeat no other by image, question and ground truth",
        "{count} repeat another by image, question and ground truth, so that it counts twice",
        "no hash of the image is stored with {count}",
        counted="sample",
    ),
    "limits": Words(
        "endings without a limit",
        "no limit ended an answer in {count}",
        "a limit ended an answer in {count}, so that the limit may have made the difference",
    ),
}
"""The points of a card, in the order shown."""
_SERVICE = "service in the course of the study"


def card_lines(card: Card, name: str = "") -> list[str]:
    """Return a card as lines for a terminal: one line for everything proven of all pairs, and one for each doubt.

    *name* is the name of the contrast, if there are several. Without a pair of scored answers, one line says so.
    """
    of = f" of {name}" if name else ""
    if not card.pairs:
        return [f"parity{of}: no pair of scored answers, so nothing is proven"]
    proven = ", ".join(WORDS[point.name].what for point in card.points if point.holds)
    return [f"parity{of} in {plural(card.pairs, 'pair')}, proven: {proven}", *(f"  {line}" for line in _doubted(card))]


def study_lines(cards: Iterable[tuple[str, Card]]) -> list[str]:
    """Return the parity cards of named contrasts as lines; contrasts whose cards read alike share one set of lines.

    *cards* holds the name of each contrast with its card.
    """
    alike: dict[tuple[str, ...], tuple[list[str], Card]] = {}
    for name, card in cards:
        alike.setdefault(tuple(card_lines(card)), ([], card))[0].append(name)
    return [line for names, card in alike.values() for line in card_lines(card, "; ".join(names))]


def doubts(card: Card) -> list[str]:
    """Return a sentence for each point with assumed pairs, and one for the canaries of each task; empty without either.

    A canary is a sample asked at the start, in the middle and at the end of a study, to detect a change of the service.
    """
    points = [_sentence(point, "assumed") for point in card.points if point.assumed]
    return [*points, *(f"{_SERVICE}: {_drifted(one)}" for one in card.drift)]


def card_rows(card: Card) -> list[tuple[str, ...]]:
    """Return the card as rows of four texts: what should be the same, and what is proven, assumed and unknowable.

    A text is empty if no pair is in that state.
    """
    points = [(WORDS[point.name].what, *(_basis(point, column) for column in COLUMNS)) for point in card.points]
    return [*points, *((_SERVICE, "", _drifted(one), "") for one in card.drift)]


def card_json(card: Card) -> dict[str, Any]:
    """Return the card as JSON data, including its texts."""
    points = [
        {
            "what": WORDS[point.name].what,
            **point.model_dump(mode="json"),
            "rests_on": {column: _basis(point, column) for column in COLUMNS},
        }
        for point in card.points
    ]
    return card.model_dump(mode="json") | {"points": points}


def limits_line(card: Card, task: TaskName, names: tuple[str, str] = ("A", "B")) -> str:
    """Return how many answers to a task were ended by a limit in each arm, in words; *names* are those of A and B.

    Empty if a limit ended none.
    """
    a, b = card.limited.get(task, (0, 0))
    return f"ended by a limit, among the pairs: {a} in {names[0]}, {b} in {names[1]}" if a or b else ""


def _doubted(card: Card) -> Iterator[str]:
    yield from (f"assumed: {sentence}" for sentence in doubts(card))
    yield from (f"unknowable: {_sentence(point, 'unknowable')}" for point in card.points if point.unknowable)


def _drifted(one: Drift) -> str:
    """Return in words the mean loss of one task's canaries at each moment, and the p-value for a change."""
    means = ", ".join(f"{loss:.3f}" for loss in one.losses)
    of = f"{plural(one.n, 'sample')} of {plural(one.subjects, 'subject')}"
    return f"canaries, {one.task}: mean loss {means} at {', '.join(MOMENTS)}, p {one.p:.2g} for a change ({of})"


def _sentence(point: Point, column: str) -> str:
    return f"{WORDS[point.name].what}: {_basis(point, column)}"


def _basis(point: Point, column: str) -> str:
    """Return the sentence of a point for one state (*column* of ``COLUMNS``) with its count; empty for a count of 0."""
    words, count = WORDS[point.name], getattr(point, column)
    if not count:
        return ""
    basis = getattr(words, column).format(count=f"{count} of {plural(point.of, words.counted)}")
    told = column == ("assumed" if point.assumed else "unknowable")
    return f"{basis} ({point.found})" if point.found and told else basis
