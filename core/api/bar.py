"""The bar of a run's progress in a terminal, with a line of facts below it.

It is a module of its own because ``rich`` takes 2 MB, which a run without a terminal does not need.
"""

from collections.abc import Callable, Iterable

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from medvision_agent.text import printable

__all__ = ["Bar"]


class Bar(Progress):
    """A progress bar as wide as the terminal of *console*; the text of *facts* stands below it.

    *facts* is called whenever the bar is drawn, which is not for every sample.
    """

    def __init__(self, console: Console, facts: Callable[[], str]) -> None:
        self._facts = facts
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._asked = self.add_task("", total=None)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the bar and its line, which wraps in a narrow terminal."""
        yield self.make_tasks_table(self.tasks)
        if facts := printable(self._facts()):
            yield Text(facts)

    def begin(self, total: int, description: str) -> None:
        """State the number of samples to ask, and what is asked."""
        self.update(self._asked, total=total, description=description)

    def one_more(self) -> None:
        """Count a finished sample."""
        self.update(self._asked, advance=1)
