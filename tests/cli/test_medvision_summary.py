"""A run over MedVision's data: its own group summaries are printed, the same as of its exported files."""

import json
from pathlib import Path

DATA = Path(__file__).parent.parent / "data" / "medvision-mini"


async def test_a_run_is_summarised_as_its_exported_files_are(call, tmp_path):
    data = next(folder for folder in (DATA / "Data", DATA) if (folder / "Datasets").is_dir())
    words = ("--model", "baseline-cv", "--tools", "off", "--data", f"medvision:{data}", "--limit", 2)
    code, out, err = await call("run", *words, "--out", tmp_path / "run", "--json")
    assert code == 0, err
    of_run = json.loads(out)["medvision"]
    assert set(of_run) == {"Detection", "TL", "AD"}
    assert of_run["Detection"]["groups"]
    assert (await call("export", tmp_path / "run", "--out", tmp_path / "results"))[0] == 0
    for family, summary in of_run.items():
        code, out, err = await call("score", tmp_path / "results" / family / "baseline-cv", "--json")
        assert code == 0, err
        of_files = json.loads(out)
        for key in summary.keys() - {"medvision_agent"}:
            assert summary[key] == of_files[key], (family, key)
    ceiling = of_run["Detection"]["medvision_agent"]["convention_ceiling"]
    assert ceiling["n"] == of_run["Detection"]["n_inputs"]
    code, out, _ = await call("score", tmp_path / "run")
    assert "convention ceiling" in out
    assert f"random boxes (100 per sample), n {ceiling['n']}: loss " in out


async def test_a_run_over_other_data_has_no_such_summary(call, data, tmp_path):
    words = ("--model", "baseline-prior", "--data", data, "--limit", 1, "--out", tmp_path / "run", "--json")
    code, out, err = await call("run", *words)
    assert code == 0, err
    assert "medvision" not in json.loads(out)
