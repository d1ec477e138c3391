"""What a path of results holds: a stored run, or MedVision's result files of one model or of several."""

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

__all__ = ["EXPECTED", "Files", "Walk", "file_facts", "forms_note", "model_of", "results_in"]

EXPECTED = (
    "expected the folder of a run, or MedVision's result files: a file <stamp>_samples_<task>.jsonl[.gz], or a folder "
    "that holds such files of one model or of several"
)
_PARSED = "parsed"


@dataclass(frozen=True)
class Files:
    """Result files."""

    models: Sequence[Path]
    """A file, or the folder of each model."""
    plans: Plans | None


def results_in(path: PathText, plans: PathText | None = None) -> Run | Files:
    """Return what is in *path*, with the *plans* for what result files do not carry.

    Raises ConfigError where plans are given for a run, StorageError for a run that is damaged, and DataError, which
    says what was expected, for what is neither.
    """
    source = Path(path)
    if source.is_dir() and ((source / DATABASE).exists() or (source / STUDY).exists()):  # a study is refused by name
        if plans is not None:
            raise ConfigError(f"--plans is for MedVision's result files; {source} is a run, which has all of it")
        return open_run(source)
    if not source.exists():
        raise DataError(f"{source}: there is nothing of this name; {EXPECTED}")
    if not is_answers(source):
        raise DataError(f"{source} holds no run and no result files; {EXPECTED}")
    known = None if plans is None else read_plans(Path(plans))
    try:
        return Files(models_in(source) if source.is_dir() else [source], known)
    except DataError as error:
        raise DataError(f"{error}\n{EXPECTED}") from None


def model_of(source: Path) -> str:
    """Return the name that MedVision's layout gives the model of a folder, or of a file that is named as in one."""
    if source.is_file() and not task_of(source.name):
        return ""
    folder = source.resolve() if source.is_dir() else source.resolve().parent
    return folder.parent.name if folder.name == _PARSED else folder.name


class Walk:
    """One pass over the result files of a model: its answers, and then what is to be said of them."""

    def __init__(self, files: Path, rules: Protocol, plans: Plans | None) -> None:
        """Raise DataError where *files* is a folder without result files, or of several models."""
        self.files = files
        self.left_out, self.lacks = Counter[str](), Counter[str]()
        """Answers that are in no figure, and those of which the files do not say something."""
        self._rules, self._plans, self._forms = rules, plans, Counter[str]()
        self._results = ResultFiles(files, plans, Prompted)

    def answers(self) -> Iterator[FiledAnswer]:
        """Yield the answers, one after the other."""
        with without_collector():
            for answers in self._results.answers():
                self._forms.update(map(form_of, answers.column("task")))
                yield from filed_answers(answers, self._rules, self.left_out, self._plans)

    def take(self, one: FiledAnswer, *, decomposed: bool) -> None:
        """Count what the files do not say of an answer."""
        if one.score.success:
            self.lacks.update(str(lack) for lack in one.lacks if lack.matters(decomposed=decomposed))

    def notes(self) -> list[str]:
        """Return what is to be known about the files that were read."""
        return self._results.remarks(self._rules) + forms_note(self._forms)


def forms_note(forms: Counter[str]) -> list[str]:
    """Return a line where answers were asked in more than one form; *forms* counts them (``form_of``)."""
    if len(forms) < 2:
        return []
    return [f"answers asked in several forms, here together: {counted(dict(forms.most_common(10)))}"]


def file_facts(files: Path, notes: Sequence[str], left_out: Mapping[str, int], lacks: Mapping[str, int]) -> list[str]:
    """Return what is to be said of result files before their figures."""
    model = model_of(files)
    named = f"model {model} (name of the folder)" if model else "model not named"
    lines = [f"result files: {files}", named, *(f"note: {note}" for note in notes)]
    lines += [f"left out: {plural(count, 'answer')} {reason}" for reason, count in left_out.items()]
    return lines + [f"not in the files, {plural(count, 'answer')}: {what}" for what, count in lacks.items()]
