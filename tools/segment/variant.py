"""A variant of a tool that outlines: another method for the outline, with unchanged arguments, words and results.

A *method* takes a slice and a prompt and returns candidates, the best first; it raises ToolError where it cannot take
the prompt, or finds nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import MOST, Candidate, Prompt
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.view.slice import Slice

__all__ = ["Method", "Variant", "checked"]

Method = Callable[[Slice, Prompt], list[Candidate]]


@dataclass(frozen=True, eq=False)
class Variant:
    """A method to outline, under the name that a condition writes after ``@``."""

    name: str
    method: Method
    of: Callable[[Truth], Method] | None = None
    """Returns the method for one sample, for a variant that uses the ground truth; None for all others."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """What made it, where it is not shipped: package, version and hash, or the name and version of a server."""


def checked(method: Method) -> Method:
    """Return the method of another package, with a check of what it returns.

    It then returns one to three candidates; it raises ToolError for an empty list and TypeError for any other result.
    """

    def outline(image: Slice, prompt: Prompt) -> list[Candidate]:
        found: object = method(image, prompt)
        if not isinstance(found, list) or not all(isinstance(one, Candidate) for one in found):
            raise TypeError(
                "a segmenter must return a list of Candidate objects (docs/segmenters.md), but this one returned "
                f"{type(found).__name__}" + (" with other items" if isinstance(found, list) else "")
            )
        if not found:
            raise ToolError("nothing found", about_image=True)
        return found[:MOST]

    return outline
