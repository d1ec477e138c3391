"""``share`` as a person uses it: real runs, a folder, and an upload to a stand-in of the Hub over real HTTP."""

import json
import os
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from commands import COMMAND
from fake.replies import error, text
from hub import Repository, serving

HF_KEY = "hf_plainlyakeyofthistest0123"
KEY = "plainly-a-key-0123456789-of-this-test"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder of two runs over the demo set that differ in their tools."""
    home = tmp_path_factory.mktemp("share") / "pair"
    for tools in ("off", "on"):
        words = ["run", "--model", "baseline-cv", "--limit", "1", "--tools", tools, "--out", home / tools]
        subprocess.run([COMMAND, *words], check=True, capture_output=True, timeout=300)
    return home


def share(*words, **environ):
    done = subprocess.run(
        [COMMAND, "share", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_two_runs_as_a_folder(runs, tmp_path):
    out = tmp_path / "shared"
    code, said, err = share(runs, "--to", out, "--title", "Tools: yes & <no>")
    assert (code, err) == (0, "")
    assert f"shared: {out}, " in said
    card = (out / "README.md").read_text(encoding="utf-8")
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head)["pretty_name"] == "Tools: yes & <no>"
    assert "# Tools: yes \\& \\<no\\>" in body
    assert "DEMONSTRATION" in body
    assert "image as sent | the hashes stored with the answers are equal in 4 of 4 pairs" in body
    assert "| mni152 | image: McGill/MNI permissive notice" in body
    for config in yaml.safe_load(head)["configs"]:
        assert len(pd.read_parquet(out / config["data_files"])) > 0
    pictures = pd.read_parquet(out / "tables/pictures.parquet")
    files = {f"pictures/{file.name}" for file in (out / "pictures").iterdir()}
    assert set(pictures.file) == files
    assert pictures[["licence", "origin", "basis", "dataset"]].notna().all(axis=None)
    turns = pd.read_parquet(out / "tables/turns.parquet")
    assert {sha for shas in turns.pictures.dropna() for sha in shas.split()} <= set(pictures.picture)
    assert "McGill University" in (out / "NOTICE").read_text(encoding="utf-8")


def test_the_same_runs_give_the_same_bytes_and_force_replaces_only_a_share(runs, tmp_path):
    out = tmp_path / "shared"
    assert share(runs, "--to", out, "--viewer")[0] == 0
    first = contents(out)
    code, _, err = share(runs, "--to", out)
    assert (code, len(err.splitlines()), "--force" in err) == (2, 1, True)
    assert share(runs, "--to", out, "--viewer", "--force")[0] == 0
    assert contents(out) == first
    assert "viewer/index.html" in first
    (out / "mine.txt").write_text("mine")
    code, _, err = share(runs, "--to", out, "--force")
    assert (code, "'mine.txt'" in err) == (2, True)
    code, _, err = share(runs, "--to", runs, "--force")
    assert (code, "not a folder of shared runs" in err) == (2, True)


async def test_images_without_a_licence_stay_here_and_nothing_private_leaves(call, server, data, models, tmp_path):
    models.write_text(
        f"{{m: {{provider: openai, model: m, base_url: '{server.openai_url}', api_key_env: THE_KEY, max_tries: 1, "
        "perceived: {rule: native}}}"
    )
    hostile = f"<script>x</script> | [a](http://evil.example) /home/jane/x http://me:hidden@10.1.2.3/v1 {tmp_path}/run"
    server.script([text(f"{hostile} <answer>5.0</answer>"), error(400, f"http://me:hidden@10.1.2.3/v1 {KEY} failed")])
    words = ("run", "--model", "m", "--models", models, "--data", data, "--limit", 2, "--tools", "off")
    await call(*words, "--max-connections", 1, "--out", tmp_path / "run", THE_KEY=KEY)
    (tmp_path / "run/review.jsonl").write_text(
        json.dumps({"id": "s0", "verdict": "bad", "comment": "seen by Jane", "at": "2026-01-01T00:00:00Z"}) + "\n"
    )
    out = tmp_path / "out"
    code, said, err = await call("share", tmp_path / "run", "--to", out, "--title", hostile, THE_KEY=KEY)
    assert (code, err) == (0, "")
    assert "left out: 2 images of d: the data states no licence" in said
    assert "left out: Notes of people" in said
    assert list((out / "pictures").iterdir()) == []
    samples = pd.read_parquet(out / "tables/samples.parquet")
    assert samples.response[0].startswith(
        "<script>x</script> | [a](http://evil.example) ~/x http://[redacted]@10.1.2.3"
    )
    tables = "".join(pd.read_parquet(file).to_csv() for file in sorted((out / "tables").iterdir()))
    texts = (out / "README.md").read_text() + (out / "runs.json").read_text() + tables
    for private in (KEY, "hidden", "jane", "Jane", str(tmp_path), str(server.port)):
        assert private not in texts, private
        assert all(private.encode() not in content for content in contents(out).values()), private
    assert "<script" not in (out / "README.md").read_text().split("---\n", 2)[2].replace("\\<script", "")
    assert (await call("share", tmp_path / "run", "--to", tmp_path / "v", "--viewer"))[0] == 2
    words = ("--licence", "d=CC BY 4.0", "--viewer")
    code, said, err = await call("share", tmp_path / "run", "--to", tmp_path / "v", *words, THE_KEY=KEY)
    assert (code, "images of d" in said) == (0, False), err
    assert len(list((tmp_path / "v/pictures").iterdir())) == 2
    assert "stated by whoever shared the runs" in (tmp_path / "v/README.md").read_text()
    for private in (KEY, "hidden", "jane", "Jane", str(tmp_path), str(server.port)):
        assert [
            name for name, content in contents(tmp_path / "v/viewer/data").items() if private.encode() in content
        ] == []


def test_a_dry_run_lists_what_would_be_written_and_writes_nothing(runs, tmp_path):
    code, said, err = share(runs, "--to", tmp_path / "shared", "--dry-run")
    assert (code, err, list(tmp_path.iterdir())) == (0, "", [])
    listed = {
        line.split()[-1]: int(line.split()[0].replace(",", "")) for line in said.splitlines() if " bytes " in line
    }
    assert share(runs, "--to", tmp_path / "shared")[0] == 0
    assert listed == {name: len(content) for name, content in contents(tmp_path / "shared").items()}
    assert "left out: " in said


def test_an_upload_reaches_the_hub_whole_private_and_never_twice(runs, tmp_path):
    with serving() as hub:
        environ = {"HF_ENDPOINT": hub.address, "HF_TOKEN": HF_KEY, "HF_HOME": str(tmp_path / "hf")}
        environ |= {"HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
        code, said, err = share(runs, "--to", "hub:lab/tools", "--dry-run", **environ)
        assert (code, hub.repositories) == (0, {})
        code, said, err = share(runs, "--to", "hub:lab/tools", **environ)
        assert (code, err) == (0, "")
        assert f"shared: {hub.address}/datasets/lab/tools, " in said
        assert share(runs, "--to", tmp_path / "shared")[0] == 0
        found = hub.repositories["lab/tools"]
        assert found.private
        assert {name: content for name, content in found.files.items() if name != ".gitattributes"} == contents(
            tmp_path / "shared"
        )
        code, _, err = share(runs, "--to", "hub:lab/tools", **environ)
        assert (code, "--force" in err) == (2, True)
        found.files["earlier.txt"] = b"x"
        assert share(runs, "--to", "hub:lab/tools", "--force", "--no-pictures", **environ)[0] == 0
        assert {name.split("/")[0] for name in found.files} == {
            ".gitattributes",
            "README.md",
            "medvision-share.json",
            "runs.json",
            "tables",
        }
        hub.repositories["lab/open"] = Repository(private=False)
        code, _, err = share(runs, "--to", "hub:lab/open", **environ)
        assert (code, "the repository is public" in err, hub.repositories["lab/open"].files) == (2, True, {})
        assert hub.keys == {f"Bearer {HF_KEY}"}
        hub.refuse = 401
        code, said, err = share(runs, "--to", "hub:lab/new", **environ)
        assert (code, len(err.splitlines()), "status 401" in err, "must not be shown" in err) == (2, 1, True, False)
        assert HF_KEY not in said + err
    code, _, err = share(runs, "--to", "hub:lab/new", **environ)
    assert (code, len(err.splitlines()), "cannot be reached" in err) == (2, 1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--to", "hub:lab"), "expected hub:ORG/NAME"),
        (("--to", "hub:../x"), "expected hub:ORG/NAME"),
        (("--to", "out", "--public"), "--public needs"),
        (("--to", "out", "--samples", "3"), "--samples needs --viewer"),
        (("--to", "out", "--viewer", "--no-pictures"), "--viewer needs images"),
        (("--to", "out", "--licence", "lab"), "expected DATASET=LICENCE"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(runs, words, why):
    code, _, err = share(runs, *words)
    assert (code, len(err.splitlines()), why in err) == (2, 1, True), err


def test_a_study_is_shared_with_its_contrasts(tmp_path):
    (tmp_path / "study.yaml").write_text(
        "name: two\nmodels: [baseline-cv]\ndata: 'phantom:2'\ndesigns: [on-off]\n", encoding="utf-8"
    )
    words = [COMMAND, "ablate", tmp_path / "study.yaml", "--out", tmp_path / "two"]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    assert share(tmp_path / "two", "--to", tmp_path / "shared")[0] == 0
    card = Path(tmp_path / "shared/README.md").read_text(encoding="utf-8")
    assert re.search(r"\*\*.*SYNTHETIC", card)
    assert "none needed: computed, no work of others" in card
    assert "counted are pairs of scored answers" in card
