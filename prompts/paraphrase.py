"""The wordings of the whole question: number 0 is the templates beside this file, the others lie in ``paraphrases``.

Contract: a paraphrase has templates by name, which stand in for those beside this file. It says the same facts in the
same order; what a scorer reads by (answer tags, numbers and their decimals), the words of a display and the paragraph
about tools are never among them.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from medvision_agent.settings_text import read_yaml

__all__ = ["WORDINGS", "draw_wordings", "paraphrase", "paraphrase_sha256"]

WORDINGS = 9
"""How many there are, number 0 included."""
_FOLDER = Path(__file__).parent / "paraphrases"
_AREAS = Path(__file__).parent / "areas"


@cache
def paraphrase(number: int) -> Mapping[str, str]:
    """Return the templates of the wording *number*, by name; empty for number 0, the shipped templates themselves."""
    if number == 0:
        return {}
    return {**_texts(_FOLDER, number), **_texts(_AREAS, number)}


@cache
def _texts(folder: Path, number: int) -> Mapping[str, str]:
    found: Mapping[str, str] = read_yaml((folder / f"{number}.yaml").read_text(encoding="utf-8"))
    return found


def paraphrase_sha256(number: int, *, areas: bool = False) -> str | None:
    """Return the hash over the templates of a wording, by name; None for number 0, which is hashed with all prompts.

    The template for questions about areas is included only if *areas* is true.
    """
    if number == 0:
        return None
    texts = sorted((paraphrase(number) if areas else _texts(_FOLDER, number)).items())
    return sha256("".join(f"{name}\0{text}\0" for name, text in texts).encode()).hexdigest()


def draw_wordings(count: int, seed: int) -> tuple[int, ...]:
    """Return the numbers of *count* wordings (the shipped texts, 0, and their paraphrases) in ascending order.

    They are drawn without replacement, always the same for the same *seed*; all ``WORDINGS`` if *count* is larger.
    """
    drawn = sorted(range(WORDINGS), key=lambda number: sha256(f"{seed} wording {number}".encode()).digest())
    return tuple(sorted(drawn[:count]))
