"""A bundle: the same values as a server's, in scripts nothing can break out of; the same bytes; nobody's files lost."""

import json
import re
from base64 import b64decode
from hashlib import sha256

import cv2
import numpy as np
import pytest
from browsed import HOSTILE, HOSTILE_ID, a_run, add, create, samples
from forged import retold
from identities import a_sample

from medvision_agent.errors import StorageError
from medvision_agent.eval.browse.bundle import write_bundle
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run
from medvision_agent.tools.view.png import encode_png

PAGE = {"index.html": b"<!doctype html>", "app.js": b"0;", "app.css": b""}


def written(folder, out, most=0):
    return write_bundle(Library([folder]), PAGE, out, most)


def part(out, name):
    text = (out / f"data/{name}.js").read_text()
    prefix, tail = f'medvision("{name}", ', ");\n"
    assert text.startswith(prefix)
    assert text.endswith(tail)
    return json.loads(text[len(prefix) : -len(tail)])


def files(out):
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture
def runs(tmp_path):
    a_run(tmp_path / "runs/off", ["10.0", "13.0", None], more=1, condition="off", tools=())
    a_run(tmp_path / "runs/on", ["10.0", "11.0", "10.0"], more=1)
    return tmp_path / "runs"


def test_a_bundle_holds_what_a_server_would_send(runs, tmp_path):
    done = written(runs, tmp_path / "out")
    library = Library([runs])
    library.read_on()
    index = part(tmp_path / "out", "index")
    assert (index["live"], index["bounded"], [run["name"] for run in index["runs"]]) == (False, "", ["off", "on"])
    assert index["runs"] == json.loads(library.index(live=False).model_dump_json())["runs"]
    for key in ("r1", "r2"):
        assert part(tmp_path / "out", f"rows/{key}") == json.loads(library.rows(key).model_dump_json())
        assert part(tmp_path / "out", f"reviews/{key}") == {"run": key, "reviews": [], "damaged": 0}
        for row in range(3):
            talk = part(tmp_path / "out", f"talks/{key}/{row}")
            sent = json.loads(library.talk(key, row).model_dump_json())
            assert sent["scene"]["shown"].pop("about").startswith(talk["scene"]["shown"].pop("about"))
            assert talk == sent
            for name in [*talk["turns"][1]["pictures"], talk["turns"][2]["calls"][0]["picture"]]:
                assert sha256((tmp_path / f"out/pictures/{name}.png").read_bytes()).hexdigest() == name
            if talk["scene"]:
                shown = talk["scene"]["shown"]["name"]
                url = part(tmp_path / "out", f"shown/{shown}")
                assert sha256(b64decode(url.removeprefix("data:image/png;base64,"))).hexdigest() == shown
    assert {name: files(tmp_path / "out")[name] for name in PAGE} == PAGE
    assert (done.samples, done.talks, done.left_out) == (4, 6, ())
    assert done.size == sum(map(len, files(tmp_path / "out").values()))


def test_the_same_store_gives_the_same_bytes(runs, tmp_path):
    written(runs, tmp_path / "one", 2)
    written(runs, tmp_path / "two", 2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_samples_bound_rows_and_conversations(runs, tmp_path):
    done = written(runs, tmp_path / "out", 2)
    assert part(tmp_path / "out", "rows/r1")["id"] == ["s0", "s2"]  # s2 was answered with tools alone
    assert part(tmp_path / "out", "rows/r1")["rows"] == [0, 2]
    assert sorted(path.name for path in (tmp_path / "out/data/talks/r1").iterdir()) == ["0.js", "2.js"]
    assert part(tmp_path / "out", "index")["bounded"] == done.words
    assert part(tmp_path / "out", "index")["runs"][0]["means"][0]["scored"] == 3  # of all samples


def test_no_text_of_a_model_leaves_its_string_or_names_a_file(tmp_path):
    asked = [a_sample(HOSTILE_ID, label=None, landmarks=(HOSTILE[:40], "</script>"), subject=HOSTILE, dataset=HOSTILE)]
    with create(tmp_path / "runs/on", asked, model_name=HOSTILE) as store:
        add(store, asked[0], HOSTILE, detail=HOSTILE)
    written(tmp_path / "runs", tmp_path / "out")
    for name, content in files(tmp_path / "out").items():
        assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)*\.(html|js|css|json|png)", name), name
        if name.startswith("data/"):
            text = content.decode()
            assert not set("<>\u2028\u2029") & set(text), name
            assert text.count("\n") == 1
    talk = part(tmp_path / "out", "talks/r1/0")
    assert (talk["id"], talk["detail"]) == (HOSTILE_ID, HOSTILE)
    assert HOSTILE in talk["turns"][-1]["text"]


def test_an_earlier_bundle_is_replaced_and_nothing_else_ever_is(runs, tmp_path):
    out = tmp_path / "out"
    out.mkdir()  # empty: taken
    written(runs, out)
    assert (out / "data/talks/r1/1.js").exists()
    written(runs, out, 1)
    assert not (out / "data/talks/r1/1.js").exists()
    before = files(out)
    for name in ("notes.txt", ".git"):
        (out / name).write_text("mine")
        with pytest.raises(StorageError, match=f"the folder also holds '{re.escape(name)}'"):
            written(runs, out)
        (out / name).unlink()
    assert files(out) == before
    for other in (runs, tmp_path):
        with pytest.raises(StorageError, match="not a bundle"):
            written(runs, other)
    with pytest.raises(StorageError, match="no run with samples was found"):
        written(out / "data", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "runs"]


def test_what_is_damaged_is_left_out_and_said(runs, tmp_path):
    name = open_run(runs / "on").records[0].v0_sha256
    for run in ("on", "off"):
        picture_path(runs / run, name).write_bytes(b"changed")
    retold(runs / "on", "How long", "How short", "s1")
    done = written(runs, tmp_path / "out")
    assert part(tmp_path / "out", "rows/r2")["has_talk"] == [1, 0, 1, 0]
    assert not (tmp_path / "out/data/talks/r2/1.js").exists()
    assert any("trace of sample 's1'" in line for line in done.left_out)
    assert any(f"image {name}" in line for line in done.left_out)


def test_large_pictures_are_reduced_and_the_bundle_says_so(tmp_path):
    (sample,) = samples(1)
    with create(tmp_path / "runs/on", [sample]) as store:
        add(store, sample)
    written(tmp_path / "runs", tmp_path / "out")
    assert part(tmp_path / "out", "index")["bounded"] == ""
    large = encode_png(np.zeros((600, 2048, 3), np.uint8))
    key = sha256(large).hexdigest()
    with create(tmp_path / "large/on", [sample]) as store:
        from browsed import conversation

        trace = conversation("10")
        trace.pictures[key] = large
        trace.messages[1]["content"][0]["picture"] = key
        from medvision_agent.eval.store.record import Record

        store.add(Record(sample=sample, outcome="answered", response="<answer>10</answer>"), trace)
    written(tmp_path / "large", tmp_path / "out")
    assert "reduced to 768 pixels" in part(tmp_path / "out", "index")["bounded"]
    pixels = cv2.imread(str(tmp_path / f"out/pictures/{key}.png"), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (225, 768, 3)
