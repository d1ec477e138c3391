"""The sample's page: what second readers read, and the decision of ground truth and answer."""

from browsed import a_run
from told.again import READER, kidney_run, read_again

from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.reading.kept import NAME
from medvision_agent.eval.report.collect import collect


def talks(folder):
    library = Library([folder])
    library.read_on()
    (run,) = library.index(live=True).runs
    rows = library.rows(run.key)
    return [library.talk(run.key, row) for row in rows.rows]


def test_the_reader_stands_beside_the_rule_as_the_report_has_it(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0", "12.0"])
    assert talks(folder)[0].read_by == ()
    read_again(lambda store: [folder])(None)
    found = [talk.read_by for talk in talks(folder)]
    assert all(len(lines) == 1 and lines[0].startswith(f"{READER.name}: ") for lines in found)
    (report,) = collect([folder], most_pictures=0).chapters[0].readings
    (task,) = next(iter(report.arms.values())).values()
    same = sum("both read the same" in lines[0] for lines in found)
    assert same == task.agreement.get("both read the same", 0)


def test_a_broken_file_of_readings_leaves_the_conversation_and_names_no_folder(tmp_path):
    folder = a_run(tmp_path / "run", ["10.0"])
    (folder / NAME).write_text("no database, but long enough to be read as one " * 20)
    (talk,) = talks(folder)
    assert talk.answer == "10 mm"
    assert talk.read_by == ("the file of stored readings (readings.sqlite) cannot be read",)


def test_the_decision_of_truth_and_answer_is_named(tmp_path):
    folder = kidney_run(tmp_path / "run", (50.0, 60.0, 95.0, None), count=4)
    assert [talk.decided for talk in talks(folder)] == [
        ("renal-tumour-size: ground truth T1a, answer T1b",),
        ("renal-tumour-size: ground truth T1b, answer T1b",),
        ("renal-tumour-size: ground truth T2a, answer T2a",),
        ("renal-tumour-size: ground truth T2b, answer none",),
    ]
