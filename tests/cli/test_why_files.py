"""``why`` over MedVision's result files: tables, JSON, an exported run beside the run, and what is no such file."""

import asyncio
import json
import math
import re
from pathlib import Path

import pytest

from medvision_agent.agent.policies import open as offline
from medvision_agent.agent.policies.policy import final
from medvision_agent.api.explaining import explain_results
from medvision_agent.api.writing import export_medvision
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.why.filed import Lack
from medvision_agent.quantity import ANGLE_DEG, BOX

ROOT = Path(__file__).parents[1]
DATA, GOLDEN = ROOT / "data/medvision-mini/Data", ROOT / "data/golden"
MOVES = {2: 0.004, 3: 0.4}
"""How far the first point is seen beside its place, in shares of the width, by kind of answer."""


def worked_out(look, points):
    """Return the answer that points give, by complex numbers."""
    width, height = look.field_mm()
    lines = [
        complex((b[0] - a[0]) * width, (b[1] - a[1]) * height) for a, b in zip(points[::2], points[1::2], strict=True)
    ]
    if look.brief.quantity != ANGLE_DEG:
        return [abs(line) for line in lines]
    product = lines[0] * lines[1].conjugate()
    return [math.degrees(math.atan2(abs(product.imag), abs(product.real)))]


def seven_kinds(look):
    """Answer right, imprecisely, on another object, with wrong arithmetic, in cm, by a guess, or not at all."""
    yield from ()
    kind = int(look.brief.truth[0][0] * 1e6 + look.brief.truth[1][1] * 1e5) % 7
    points = [(min(u + MOVES.get(kind, 0), 1.0), v) for u, v in look.brief.truth]
    points = [points[0], *look.brief.truth[1:]] if kind == 2 else points
    if kind == 0:
        return "I cannot tell."
    if look.brief.quantity == BOX:
        (u0, v0), (u1, v1) = points
        return final(u0, 1 - v0, u1, 1 - v1, decimals=4)
    values = worked_out(look, points)
    slip = {4: 0.6, 5: math.pi / 180 if look.brief.quantity == ANGLE_DEG else 0.1}.get(kind, 1.0)
    said = "" if kind == 6 else ", ".join(f"({u:.6f}, {1 - v:.6f})" for u, v in points)
    return f"<think>{said}</think>" + final(*(slip * value for value in values), decimals=4)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return the folder of a run with answers of seven kinds, and the folders it was exported to."""
    folder = tmp_path_factory.mktemp("seven")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline, "_policy", lambda name: seven_kinds)
        asked = Settings(
            model="oracle", tools="off", data=f"medvision:{DATA}", selection=Selection(limit=12), out=folder / "run"
        )
        asyncio.run(execute(prepare(asked), watch=Watch(), stop=asyncio.Event()))
    return folder / "run", export_medvision(folder / "run", folder / "files").files.folders


def test_a_run_and_its_exported_files_agree_on_what_both_can_know(stored):
    run, folders = stored
    (of_run,), filed = explain_results(run), [explain_results(folder)[0] for folder in folders]
    assert {task for one in filed for task in one.parts} == of_run.parts.keys()
    assert len(of_run.parts) == 4
    kinds = set()
    for one in filed:
        assert not one.left_out
        assert set(one.lacks) <= {Lack.PROMPT}
        for task, parts in one.parts.items():
            assert parts == of_run.parts[task]
            assert one.places[task] == of_run.places[task]
            errors, own = one.summary.tasks[task].errors, of_run.summary.tasks[task].errors
            assert errors == own
            kinds |= parts.kinds.keys()
            named = one.labels[task], of_run.labels[task]
            # A file names a distance by its key, a sample by its landmarks.
            assert sorted(map(str, named[0].values())) == sorted(map(str, named[1].values()))
    wanted = {"right", "imprecise", "wrong object", "arithmetic", "unit", "from nowhere", "no answer"}
    assert kinds == wanted


def test_without_our_own_keys_less_is_known_and_nothing_else_differs(stored, tmp_path):
    _, folders = stored
    for folder in folders:
        (whole,), out = explain_results(folder), tmp_path / folder.parent.name / "model"
        out.mkdir(parents=True)
        for file in folder.glob("*.jsonl"):
            rows = [json.loads(line) for line in file.read_text().splitlines()]
            ours = {"subject", "truth_points", "image_header_zooms", "label_name", "image_modality"}
            lines = [json.dumps({key: value for key, value in row.items() if key not in ours}) for row in rows]
            (out / file.name).write_text("\n".join(lines) + "\n")
        (bare,) = explain_results(out)
        assert bare.summary.model == "model"
        assert Lack.SUBJECT in bare.lacks
        for task, parts in bare.parts.items():
            known = whole.parts[task]
            assert (parts.n, parts.loss) == (known.n, known.loss)
            joined = {cause: part.mean for cause, part in parts.parts.items()}
            for cause in ("arithmetic", "unit", "no answer", "not decomposed"):
                assert joined.get(cause, 0) == pytest.approx(
                    known.parts[cause].mean if cause in known.parts else 0, abs=2e-3
                )  # half floats
            if task == "detection":
                assert parts.parts == known.parts
            else:
                assert {Lack.LANDMARKS, Lack.ROUNDED} <= bare.lacks.keys()
                assert task not in bare.places
                assert "wrong object" not in joined
                assert "wrong object" not in parts.kinds
            unnamed = task in {"size", "detection"}
            assert list(bare.labels[task]) == (["not named"] if unnamed else list(whole.labels[task]))
        # With the data folder, all of it is known again.
        (planned,) = explain_results(out, plans=DATA)
        assert planned.parts == whole.parts
        assert planned.labels == whole.labels
        assert planned.places == whole.places
        assert set(planned.lacks) <= {Lack.PROMPT}


async def test_files_are_explained_in_the_tables_of_runs(call, stored):
    run, folders = stored
    shown = {}
    for folder in folders:
        code, shown[folder.parent.name], err = await call("why", folder)
        assert (code, err) == (0, "")
        assert max(map(len, shown[folder.parent.name].splitlines())) <= 100
    assert all("model oracle (name of the folder)" in out for out in shown.values())
    assert all("the loss in parts: had the points" in out for out in shown.values())
    assert not any("tool calls per sample" in out for out in shown.values())
    assert "major axis: points from stated points" in shown["TL"]
    assert re.search(r"^ *loss with exact arithmetic +\d\.\d{4}", shown["TL"], re.MULTILINE)
    assert "exact arithmetic" not in shown["Detection"]
    assert re.search(r"^structure +n +subjects +loss", shown["Detection"], re.MULTILINE)
    code, out, err = await call("why", run, *folders, "--json")
    assert (code, err) == (0, "")
    printed = json.loads(out, parse_constant=lambda name: 1 / 0)
    assert [sorted(one)[:2] for one in printed] == [["facts", "labels"], *[["files", "labels"]] * len(folders)]
    assert all(one["parts"].keys() == one["labels"].keys() == one["why"]["tasks"].keys() for one in printed)
    # A folder that holds several models is explained model by model.
    code, out, err = await call("why", folders[0].parents[1], "--json")
    assert (code, err) == (0, "")
    assert [one["parts"] for one in json.loads(out)] == [
        one["parts"] for one in sorted(printed[1:], key=lambda one: one["files"])
    ]


@pytest.mark.parametrize(("protocol", "version"), [("paper-v1", "paper-v1"), ("medvision-1.2", "v1.2")])
async def test_both_generations_are_read(call, protocol, version):
    files = [GOLDEN / version / family / "inputs.jsonl.gz" for family in ("detection", "tl", "ad")]
    code, out, err = await call("why", *files, "--protocol", protocol, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out, parse_constant=lambda name: 1 / 0)
    assert [one["why"]["n"] for one in found] == [438, 304, 316]
    for one in found:
        for parts in one["parts"].values():
            assert sum(part["mean"] for part in parts["parts"].values()) == pytest.approx(parts["loss"], abs=1e-12)
            assert sum(parts["kinds"].values()) == parts["n"]


def broken(folder):
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("Not a record.\n")
    (folder / "list.jsonl").write_text("[1, 2]\n{}\n")
    (folder / "nan.jsonl").write_text('{"target": NaN, "resps": [["1"]], "task_type": "AD", "doc": {}}\n')
    (folder / "bytes.jsonl").write_bytes(b"\xff\xfe\x00" * 100)
    (folder / "deep.jsonl").write_text("[" * 100_000 + "\n")


FILES = ("notes.txt", "list.jsonl", "nan.jsonl", "bytes.jsonl", "deep.jsonl")


@pytest.mark.parametrize("name", ["absent", "empty", *FILES])
async def test_what_is_neither_a_run_nor_a_result_file_says_what_was_expected(call, tmp_path, name):
    broken(tmp_path)
    code, out, err = await call("why", tmp_path / name)
    assert (code, out) == (2, "")
    assert "expected the folder of a run, or MedVision's result files" in err
    assert str(tmp_path / name) in err
    assert "Traceback" not in err


async def test_plans_for_a_run_are_refused(call, stored):
    code, out, err = await call("why", stored[0], "--plans", DATA)
    assert (code, out) == (2, "")
    assert "--plans" in err
