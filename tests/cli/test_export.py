"""``export`` as a person uses it: a real run, its result files, and their score."""

import json
from pathlib import Path

import pandas as pd
import pytest

import medvision_agent as mva

DATA = Path(__file__).parents[1] / "data/medvision-mini/Data"


async def test_exported_run_scores_as_the_run(call, tmp_path):
    words = ("--model", "baseline-prior", "--data", f"medvision:{DATA}", "--limit", "2", "--tools", "off")
    code, _, err = await call("run", *words, "--out", tmp_path / "run")
    assert code == 0, err
    code, out, err = await call("export", tmp_path / "run", "--out", tmp_path / "results")
    assert code == 0, err
    folders = [Path(line.removeprefix("written: ")) for line in out.splitlines() if line.startswith("written: ")]
    assert {folder.parent.name for folder in folders} == {"Detection", "TL", "AD"}
    await call("score", tmp_path / "run", "--samples", tmp_path / "run.jsonl")
    expected = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert f"{len(expected)} samples, 0 of them without an answer" in out
    found = []
    for folder in folders:
        code, _, err = await call("score", folder, "--samples", tmp_path / "samples.jsonl")
        assert code == 0, err
        found += [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    figures = ("extracted", "success", "MAE")
    assert sorted([row[name] for name in figures] for row in found) == sorted(
        [row[name] for name in figures] for row in expected
    )


async def test_samples_from_elsewhere_are_refused(call, data, tmp_path):
    words = ("--model", "baseline-prior", "--data", data, "--tools", "off", "--out", tmp_path / "run")
    code, _, err = await call("run", *words)
    assert code == 0, err
    code, _, err = await call("export", tmp_path / "run", "--out", tmp_path / "results")
    assert code == 2
    assert "s0: this sample is not of MedVision's data" in err
    assert "--format csv" in err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
async def test_tables_of_any_run_are_what_python_loads(call, data, tmp_path, form):
    code, _, err = await call("run", "--model", "baseline-cv", "--data", data, "--out", tmp_path / "run")
    assert code == 0, err
    code, out, err = await call("export", tmp_path / "run", "--format", form, "--out", tmp_path / "tables")
    assert code == 0, err
    loaded = mva.load(tmp_path / "run")
    for name, table in (("samples", loaded.samples()), ("turns", loaded.turns()), ("tool_calls", loaded.tool_calls())):
        assert f"written: {tmp_path / 'tables' / name}.{form}, {len(table)} rows" in out
        assert len(table) >= 12
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda file: pd.read_json(file, lines=True)}[form]
    found, samples = read(tmp_path / f"tables/samples.{form}"), loaded.samples()
    assert list(found.columns) == list(samples.columns)
    assert list(found.id) == list(samples.id)
    assert list(found.loss.astype(float).round(12)) == list(samples.loss.round(12))


async def test_refusals_of_export_are_one_line(call, data, tmp_path):
    await call("run", "--model", "baseline-prior", "--data", data, "--tools", "off", "--out", tmp_path / "run")
    run, out = tmp_path / "run", ("--out", tmp_path / "tables")
    for words in (
        ("export", run, "--protocol", "paper-v1", *out),
        ("export", run, "--protocol", "none", "--format", "csv", *out),
        ("export", tmp_path, "--out", run, "--format", "csv"),
        ("export", data, "--format", "csv", *out),
    ):
        code, _, err = await call(*words)
        assert (code, len(err.splitlines())) == (2, 1), err
        assert err.startswith("Error: ")
    assert not (tmp_path / "tables").exists()
