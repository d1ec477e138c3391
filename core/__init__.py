"""medvision-agent: do tools help a vision-language model to measure medical images?

    import medvision_agent as mva

    run = mva.load("runs/on")
    run.samples()  # a DataFrame
    mva.compare("runs/off", "runs/on").table()

Everything here is described in docs/api.md. The package is one namespace with layers, and imports point one way::

    cli -> api -> eval -> agent -> tools        (prompts is data; errors and version belong to nobody)

Names are imported when they are first used: ``import medvision_agent`` takes a few milliseconds.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from medvision_agent.version import VERSION as __version__

if TYPE_CHECKING:
    from medvision_agent import tools
    from medvision_agent.agent.limits import Limits
    from medvision_agent.api.asking import Ran, estimate, rerun, run
    from medvision_agent.api.checking import check
    from medvision_agent.api.comparing import Compared, compare, compare_published
    from medvision_agent.api.counterfactuals import Counterfactual, counterfactual
    from medvision_agent.api.deciding import Decided, decisions
    from medvision_agent.api.listing import models, runs
    from medvision_agent.api.loaded import Loaded, load
    from medvision_agent.api.publishing import InPublishedShape, published
    from medvision_agent.api.reading import PairRead, Read, read_pair, read_responses
    from medvision_agent.api.scoring import RunScore, score, score_answers
    from medvision_agent.api.sharing import Shared, share
    from medvision_agent.api.studying import Ablated, ablate, preview
    from medvision_agent.api.verifying import VerifiedRuns, verify
    from medvision_agent.api.viewing import Bundled, bundle, view
    from medvision_agent.api.writing import export, export_medvision, report
    from medvision_agent.errors import MedVisionAgentError
    from medvision_agent.eval.data.medvision.source import Reading
    from medvision_agent.eval.data.selection import Selection
    from medvision_agent.eval.listing.row import Listed
    from medvision_agent.eval.settings.budget import Budget
    from medvision_agent.eval.settings.settings import Settings
    from medvision_agent.tools.base import tool

__all__ = [
    "Ablated",
    "Budget",
    "Bundled",
    "Compared",
    "Counterfactual",
    "Decided",
    "InPublishedShape",
    "Limits",
    "Listed",
    "Loaded",
    "MedVisionAgentError",
    "PairRead",
    "Ran",
    "Read",
    "Reading",
    "RunScore",
    "Selection",
    "Settings",
    "Shared",
    "VerifiedRuns",
    "__version__",
    "ablate",
    "bundle",
    "check",
    "compare",
    "compare_published",
    "counterfactual",
    "decisions",
    "estimate",
    "export",
    "export_medvision",
    "load",
    "models",
    "preview",
    "published",
    "read_pair",
    "read_responses",
    "report",
    "rerun",
    "run",
    "runs",
    "score",
    "score_answers",
    "share",
    "tool",
    "tools",
    "verify",
    "view",
]

_PLACES = {
    "agent.limits": ("Limits",),
    "api.asking": ("Ran", "estimate", "rerun", "run"),
    "api.checking": ("check",),
    "api.comparing": ("Compared", "compare", "compare_published"),
    "api.deciding": ("Decided", "decisions"),
    "api.counterfactuals": ("Counterfactual", "counterfactual"),
    "api.listing": ("models", "runs"),
    "api.loaded": ("Loaded", "load"),
    "api.reading": ("PairRead", "Read", "read_pair", "read_responses"),
    "api.publishing": ("InPublishedShape", "published"),
    "api.scoring": ("RunScore", "score", "score_answers"),
    "api.studying": ("Ablated", "ablate", "preview"),
    "api.verifying": ("VerifiedRuns", "verify"),
    "api.sharing": ("Shared", "share"),
    "api.viewing": ("Bundled", "bundle", "view"),
    "api.writing": ("export", "export_medvision", "report"),
    "errors": ("MedVisionAgentError",),
    "eval.data.medvision.source": ("Reading",),
    "eval.data.selection": ("Selection",),
    "eval.listing.row": ("Listed",),
    "eval.settings.budget": ("Budget",),
    "eval.settings.settings": ("Settings",),
    "tools.base": ("tool",),
}
"""The module of each name; ``tools`` is a separate package. A test compares this with the imports above."""
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return the object with a public name, importing its module at first use; AttributeError for other names."""
    if name == "tools":
        return import_module("medvision_agent.tools")
    if name not in _MODULES:
        raise AttributeError(f"module 'medvision_agent' has no attribute {name!r}")
    value = getattr(import_module(f"medvision_agent.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, sorted."""
    return sorted(__all__)


logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent unless the caller sets up logging
