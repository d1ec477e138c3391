"""The origin of a run: a hash of the code that decides what a model sees, and the versions of libraries."""

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import medvision_agent.agent
import medvision_agent.prompts
import medvision_agent.tools

__all__ = ["LIBRARIES", "code_sha256", "eval_sha256", "libraries"]

LIBRARIES = (
    "google-genai",
    "langchain-core",
    "langchain-google-genai",
    "langchain-openai",
    "langgraph",
    "numpy",
    "openai",
    "opencv-python-headless",
    "pillow",
    "scipy",
    "torch",
    "transformers",
)
"""Libraries that decode, resize or draw images, send requests, or run a model in this process."""


@cache
def code_sha256() -> str:
    """Return the SHA-256 of the code of the agent, the tools and the prompts.

    Runs with different ones are not compared.
    """
    digest = sha256()
    for package in (medvision_agent.agent, medvision_agent.prompts, medvision_agent.tools):
        folder = Path(str(package.__file__)).parent
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.j2")]):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def eval_sha256() -> str:
    """Return the SHA-256 of all code in ``eval``, which reads data and records, and scores them."""
    folder, digest = Path(__file__).parents[1], sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def libraries() -> dict[str, str]:
    """Return the installed versions, by name, of the libraries that a run uses; those not installed are left out."""
    return {name: found for name in LIBRARIES if (found := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
