"""The variants of a tool by name: ``NAME@VARIANT``.

``watershed``, ``random-walker``, ``threshold`` and what packages offer by entry points of the group
``medvision_agent.segmenters`` are methods to outline; ``server`` is a segmenter behind a small HTTP form
(``segment/server.py``). ``oracle`` and ``noise:A`` are told the ground truth, as it is or degraded
(``segment/truth.py``).
"""

import math
from functools import partial

from medvision_agent import plugins
from medvision_agent.errors import ConfigError
from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.server import Server
from medvision_agent.tools.segment.truth import told
from medvision_agent.tools.segment.variant import Variant, checked
from medvision_agent.tools.view.slice import Slice

__all__ = ["SEGMENTERS", "variant_named"]

SEGMENTERS = plugins.Door("medvision_agent.segmenters", "segmenter")
"""Where methods to outline come from."""
_MOST_NOISE = 1.0


def variant_named(text: str, server: str | None = None) -> Variant:
    """Return the variant written as *text*, the part of NAME@VARIANT after the ``@``.

    *server* is the address of a segmenter, which is asked for its name and version where *text* is ``server``. Raises
    ConfigError for an unknown variant, for an amplitude of ``noise:A`` that is no number from 0 to 1, for ``server``
    without an address or without a reply from it, and where a package's segmenter cannot be imported.
    """
    name, colon, amount = text.partition(":")
    if name == "oracle" and not colon:
        return Variant("oracle", _untold, told)
    if name == "noise":
        amplitude = _amplitude(text, amount)
        return Variant(f"noise:{_written(amplitude)}", _untold, partial(told, amplitude=amplitude))
    if text == "server":
        if server is None:
            raise ConfigError(
                "@server: this variant needs the address of a running segmenter; give the address, such as "
                "--segmenter http://127.0.0.1:8000 (docs/segmenters.md)"
            )
        found = Server(server)
        return Variant("server", checked(found.outline), origin=found.about())
    if text not in SEGMENTERS.names():
        known = f"{', '.join(SEGMENTERS.names())}, server, oracle, noise:A (such as noise:0.1)"
        raise ConfigError(f"unknown variant @{text[:60]} of a tool; known variants: {known}")
    offer = SEGMENTERS.offer(text)
    if offer.shipped:
        return Variant(text, offer.loaded())
    return Variant(text, checked(offer.loaded()), origin=offer.origin())


def _amplitude(text: str, amount: str) -> float:
    """Return the amplitude A (0 to 1) of ``noise:A``; raises ConfigError naming *text* for anything else."""
    try:
        amplitude = float(amount)
    except ValueError:
        amplitude = math.nan
    if not 0 <= amplitude <= _MOST_NOISE:
        raise ConfigError(
            f"@{text[:60]}: expected noise:A, where A is a number from 0 to {_MOST_NOISE:g} (how far the true outline "
            "is degraded), such as noise:0.1"
        )
    return amplitude + 0.0  # no minus before a 0


def _written(amplitude: float) -> str:
    """Return an amplitude as text that no other amplitude has: two arms with one name would be one arm."""
    return repr(amplitude).removesuffix(".0")


def _untold(image: Slice, prompt: Prompt) -> list[Candidate]:  # noqa: ARG001 - the signature of a method
    """Raise LookupError: the method of ``oracle`` and ``noise:A`` outside a run, where no sample has a ground truth."""
    raise LookupError(
        "the variants oracle and noise:A return the ground truth of a sample, and there is no sample here"
    )
