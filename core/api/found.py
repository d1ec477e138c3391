"""Find what a path of results holds: a stored run, or MedVision's result files of one or several models."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.api.loaded import PathText
from medvision_agent.api.scoring import is_answers
from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.parts.filed import FiledAnswer, filed_answers
from medvision_agent.eval.results.heading import form_of, task_of
from medvision_agent.eval.results.load import ResultFiles, models_in, without_collector
from medvision_agent.eval.results.plans import Plans, read_plans
from medvision_agent.eval.results.record import Prompted
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.files import DATABASE
from medvision_agent.eval.store.read import STUDY, open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.text import counted, plural

__all__ = ["EXPECTED", "Files", "Walk", "file_facts", "forms_note", "model_of", "no_answers", "results_in"]

EXPECTED = (
    "expected the folder of a run, or MedVision's result files: a file <stamp>_samples_<task>.jsonl[.gz], or a folder "
    "that holds such files of one model or of several"
)
_PARSED = "parsed"


@dataclass(frozen=True)
class Files:
    """MedVision's result files, found by ``results_in`` but not read yet."""

    models: Sequence[Path]
    """A single result file, or the folder of each model."""
    plans: Plans | None
    """Facts that result files lack; None if the caller gave none."""


def results_in(path: PathText, plans: PathText | None = None) -> Run | Files:
    """Return the run or the result files in *path*; *plans* give facts that result files lack.

    Raises ConfigError if plans are given for a run, StorageError for a damaged run, and DataError, which
    says what was expected, for anything else.
    """
    source = Path(path)
    if source.is_dir() and ((source / DATABASE).exists() or (source / STUDY).exists()):  # a study is refused by name
        if plans is not None:
            raise ConfigError(f"--plans is for MedVision's result files only; {source} is a run: leave --plans out")
        return open_run(source)
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; {EXPECTED}")
    if not is_answers(source):
        raise DataError(f"{source} holds neither a run nor result files; {EXPECTED}")
    known = None if plans is None else read_plans(Path(plans))
    try:
        return Files(models_in(source) if source.is_dir() else [source], known)
    except DataError as error:
        raise DataError(f"{error}\n{EXPECTED}") from None


def model_of(source: Path) -> str:
    """Return the model's name by MedVision's folder layout; "" for a file that is not named as in that layout."""
    if source.is_file() and not task_of(source.name):
        return ""
    folder = source.resolve() if source.is_dir() else source.resolve().parent
    return folder.parent.name if folder.name == _PARSED else folder.name


class Walk:
    """One pass over the result files of a model: first its answers, then remarks about them."""

    def __init__(self, files: Path, rules: Protocol, plans: Plans | None) -> None:
        """Raise DataError if *files* is a folder without result files, or of several models."""
        self.files = files
        self.left_out, self.lacks = Counter[str](), Counter[str]()
        """Numbers of answers by reason: those in no figure, and those for which the files lack a fact."""
        self._rules, self._plans, self._forms = rules, plans, Counter[str]()
        self._results = ResultFiles(files, plans, Prompted)

    def answers(self) -> Iterator[FiledAnswer]:
        """Yield each answer with its score; those that cannot be explained are counted in ``left_out`` instead."""
        with without_collector():
            for answers in self._results.answers():
                self._forms.update(map(form_of, answers.column("task")))
                yield from filed_answers(answers, self._rules, self.left_out, self._plans)

    def take(self, one: FiledAnswer, *, decomposed: bool) -> None:
        """Count in ``lacks`` the facts that the files lack about an answer and that would change its figures.

        An answer that was not parsed is not counted. *decomposed*: whether its loss was split into parts.
        """
        if one.score.success:
            self.lacks.update(str(lack) for lack in one.lacks if lack.matters(decomposed=decomposed))

    def notes(self) -> list[str]:
        """Return remarks about the files that were read; complete once all ``answers`` were taken."""
        return self._results.remarks(self._rules) + forms_note(self._forms)


def no_answers(left_out: Mapping[str, int]) -> str:
    """Return the message for files of which no answer can be used; *left_out* are numbers of answers by reason."""
    kinds = "; ".join(f"{plural(count, 'answer')} {reason}" for reason, count in left_out.items())
    return f"these files have no answer that can be used ({kinds or 'they have no answers at all'})"


def forms_note(forms: Counter[str]) -> list[str]:
    """Return a list with one line if answers were asked in more than one form, else an empty list.

    *forms* is the number of answers by form (``form_of``).
    """
    if len(forms) < 2:
        return []
    return [f"answers asked in several forms, here together: {counted(dict(forms.most_common(10)))}"]


def file_facts(files: Path, notes: Sequence[str], left_out: Mapping[str, int], lacks: Mapping[str, int]) -> list[str]:
    """Return the lines about result files that are printed before their figures.

    *left_out* and *lacks* are numbers of answers by reason, as in ``Walk``: those that are in no figure, and those for
    which the files lack a fact.
    """
    model = model_of(files)
    named = f"model {model} (name of the folder)" if model else "model not named"
    lines = [f"result files: {files}", named, *(f"note: {note}" for note in notes)]
    lines += [f"left out: {plural(count, 'answer')} {reason}" for reason, count in left_out.items()]
    return lines + [f"not in the files, {plural(count, 'answer')}: {what}" for what, count in lacks.items()]
