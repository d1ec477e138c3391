"""medvision-agent: do tools help a vision-language model to measure medical images?

The package is one namespace with four layers; imports point one way::

    cli -> eval -> agent -> tools        (prompts is data; errors and version belong to nobody)

Nothing heavy is imported here: ``import medvision_agent`` costs a few milliseconds.
"""

import logging

from medvision_agent.version import VERSION as __version__

__all__ = ["__version__"]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent unless the caller sets up logging
