"""Sentences, and parts of them, that stand in tables of the code."""

from typing import get_args

from medvision_agent.eval.compare.statistics.family import Verdict
from medvision_agent.eval.findings import caveats, contrasts, headline, rows, stated

__all__ = ["TABLED"]

TABLED = {
    *(*headline._TOOLS.values(), *headline._ARMS.values(), *headline._COUNTED.values(), *headline.BECAUSE.values()),
    *stated._MARKED.values(),
    *(kind.together for kind in caveats._KINDS if kind.together),
    *filter(None, stated.BANNERS.values()),
    *(contrasts._POLICY, contrasts._ORACLE, rows._NOT_GUARDED, rows._NOT_SHOWN),
    *get_args(Verdict),
}
"""Texts that stand beside functions."""
