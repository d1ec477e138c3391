"""The words about areas: hashed where they are asked, so that the identity of no other run moves."""

from medvision_agent.prompts.paraphrase import WORDINGS, paraphrase_sha256
from medvision_agent.prompts.render import templates_sha256

WORDS = "02bca263e03365cd991b21c2d36624e7aa6048de78ad38dc85e0729ca6367b96"
FIRST = "8d210d99a68de555cf56781b41891f8ddd4bbb2591e5855cedd5129d60442883"
"""As they were before there was a question about areas."""


def test_without_areas_the_hashes_are_those_from_before():
    assert templates_sha256() == WORDS
    assert paraphrase_sha256(1) == FIRST


def test_with_areas_they_are_others():
    assert templates_sha256(areas=True) != WORDS
    assert paraphrase_sha256(0, areas=True) is None
    assert all(paraphrase_sha256(one, areas=True) != paraphrase_sha256(one) for one in range(1, WORDINGS))
