"""A second reader: the row of its model, and one session in which it reads responses.

Contract: the model is the only one that is asked, and readings are stored in the given file as they arrive.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from medvision_agent.agent.models import ModelConfig, Offline
from medvision_agent.agent.models.catalogue import find, load_catalogue
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.reader import Reader, Reading
from medvision_agent.api.loaded import PathText
from medvision_agent.api.loop import to_its_end
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.watch import Watch, waiting_until
from medvision_agent.eval.reading.kept import Readings
from medvision_agent.eval.reading.read import Asked, read_all
from medvision_agent.eval.reading.texts import Text
from medvision_agent.text import plural, printable

__all__ = ["ask_reader", "reader_named"]


def reader_named(name: str, models_file: PathText | None = None, most_usd: float | None = None) -> ModelConfig:
    """Return the catalogue's row of the model *name*, or that of *models_file*, the user's own models.

    Raises ConfigError if there is none, if it cannot read responses, or if *most_usd* is given and it has no prices.
    """
    config = find(name, load_catalogue(Path(models_file) if models_file is not None else None), "--models-file")
    if isinstance(config, Offline):
        raise ConfigError(f"--reader {name}: this model cannot read text; give a language model of the catalogue")
    if most_usd is not None and config.prices is None:
        raise ConfigError(
            f"--reader-max-cost: model {name!r} has no prices, so that its cost cannot be counted; give them under the "
            "key prices of its entry in --models-file"
        )
    return config


def ask_reader(
    config: ModelConfig,
    texts: Sequence[Text],
    file: Path,
    known: Mapping[str, Reading],
    most_usd: float | None,
    *,
    progress: bool,
    name: str,
) -> Asked:
    """Have the model read the responses in *texts*, and return what was read; readings are stored in *file*.

    Responses whose reading is in *file* or *known* are not asked again. Asking stops once it has cost *most_usd*.

    Raises ProviderError if the provider refuses to work, KeyboardInterrupt after Ctrl-C.
    """
    wishes = [(one.response, one.wanted) for one in texts if one.response is not None]

    def say(line: str) -> None:
        if progress:
            sys.stderr.write(f"{printable(line)}\n")

    async def work(stop: asyncio.Event) -> Asked:
        waiting = waiting_until(stop, Watch())
        async with open_model(config) as chat:
            with Readings(file) as kept:
                say(f"{name} reads {plural(len(wishes), 'response')}; readings are kept in {file}")
                reader = Reader.of(name, config)
                return await read_all(chat, reader, wishes, kept, waiting, known=known, most_usd=most_usd, stop=stop)

    asked, interrupted = to_its_end(work)
    if interrupted:
        raise KeyboardInterrupt
    return asked
