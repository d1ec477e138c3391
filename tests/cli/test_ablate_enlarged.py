"""The arm that is shown an image with the pixels that `on` was shown: what is sent and stated, what parity says."""

import json
import re
from dataclasses import replace

import pytest
from fake.replies import calls, text
from fake.servers import turn_of

from medvision_agent.eval.compare.card_words import card_lines
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.compare.points import parity_card
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan
from medvision_agent.tools.view.png import decode_png

CROP = ("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9})
RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
ANSWER = text("<think>so</think><answer>10</answer>")
STUDY = """name: t
models: [fake-openai]
models_file: models.yaml
data: samples.jsonl
limit: 2
base: {tools: 'crop,ruler'}
designs: ['matched:enlarged']
"""
ENLARGED = "matched:enlarged"


@pytest.fixture
def study(tmp_path, data, models):
    """Return a function that writes the study for a model with this size rule."""

    def written(rule="{rule: native}", more=""):
        models.write_text(models.read_text().replace("perceived: {rule: native}", f"perceived: {rule}"))
        (tmp_path / "study.yaml").write_text(STUDY + more, encoding="utf-8")
        return tmp_path / "study.yaml"

    return written


def measures_then_answers(request):
    measures = request.body.get("tools") and turn_of(request) == 0
    return calls(CROP, RULER, ("ruler", {"view": "v9"})) if measures else ANSWER


def run_of(folder, arm):
    plan = read_plan(folder)
    return open_run(next(folder / cell.folder for cell in plan.cells if cell.arm == arm))


def asked(run, sample):
    """Return the question, and the image that stands with it."""
    (message,) = [one for one in read_trace(run.folder, sample)["messages"] if one["type"] == "human"][:1]
    words = next(block["text"] for block in message["content"] if block["type"] == "text")
    key = next(block["picture"] for block in message["content"] if "picture" in block)
    return words, decode_png(read_picture(run.folder, key))


async def test_the_image_has_the_pixels_that_on_was_shown(server, study, call, tmp_path):
    server.behave(measures_then_answers)
    code, out, err = await call("ablate", study(), "--out", "s", "--verbose")
    assert code == 0, err + out
    on, own = run_of(tmp_path / "s", "on"), run_of(tmp_path / "s", ENLARGED)
    for record in own.records:
        trace = read_trace(on.folder, record.sample.id)
        keys = [one["picture"] for one in trace["tool_calls"] if one["picture"]]
        sizes = [(40, 50), *(decode_png(read_picture(on.folder, key)).shape for key in keys)]
        assert len(sizes) == 3
        pixels = sum(height * width for height, width in sizes)
        (before, image), (words, larger) = asked(on, record.sample.id), asked(own, record.sample.id)
        assert image.shape == (40, 50)
        height, width = larger.shape
        assert height * width == pytest.approx(pixels, rel=0.02)
        assert height / width == pytest.approx(40 / 50, rel=0.01)
        # The field of view is the same: 40 mm x 25 mm.
        assert f"{40 / height:.3f}" in words
        assert f"{25 / width:.3f}" in words
        found = record.enlarged
        assert (found.allowed, found.own, found.given) == (pixels, 2000, height * width)
        sizes = r"\d+(\.\d+)?"
        assert words != before
        assert re.sub(sizes, "#", words) == re.sub(sizes, "#", before)
    assert len(server.requests) == 2 * (1 + 2 + 1)
    assert check_parity(tmp_path / "s") == []
    said = " ".join(out.split())
    given, allowed = found.given / 2000, found.allowed / 2000
    assert f"image enlarged to {given:.2f} times its pixels, of {allowed:.2f} times that `on` was shown" in said
    assert "0 samples of 2 not enlarged" in said
    assert "compute was matched in pixels of images alone, as far as they can be enlarged" in said
    assert "proven: all other settings and the code, question and ground truth, prompt, but for the sizes" in said
    plan = read_plan(tmp_path / "s")
    assert [one.varies for one in plan.contrasts if one.a == ENLARGED] == [("tools", "enlarged")]
    before = len(server.requests)
    assert (await call("ablate", study(), "--out", "s"))[0] == 0
    assert len(server.requests) == before
    assert (await call("verify", "s"))[0] == 0


async def test_parity_lets_the_enlargement_pass_and_nothing_else(server, study, call, tmp_path):
    server.behave(measures_then_answers)
    assert (await call("ablate", study(), "--out", "s"))[0] == 0
    on, own = run_of(tmp_path / "s", "on"), run_of(tmp_path / "s", ENLARGED)
    free = frozenset({"condition", "tools", "tool_schemas_sha256", "tool_paragraph_sha256", "overlays", "paragraph"})
    undeclared = run_parity(own, on, free=free)
    assert [line.split()[0] for line in undeclared] == ["v0_sha256", "prompt_sha256"]
    declared = free | {"enlarged"}
    assert run_parity(own, on, free=declared) == []

    first, *others = own.records
    sample = first.sample

    def changed(**fields):
        return [first.model_copy(update=fields), *others]

    def but(**fields):
        return changed(enlarged=first.enlarged.model_copy(update=fields))

    def differs(records):
        return [line.split()[0] for line in run_parity(replace(own, records=records), on, free=declared)]

    assert differs(but(prompt_sha256="0" * 64)) == ["prompt_sha256"]
    assert differs(but(v0_sha256="0" * 64)) == ["v0_sha256"]
    assert differs(changed(sample=sample.model_copy(update={"target": (11.0,)}))) == ["sample"]
    assert differs(changed(sample=sample.model_copy(update={"landmarks": ("x", "y")}))) == ["sample"]
    assert differs(changed(model_versions=("another",))) == ["model"]
    assert differs(changed(enlarged=None)) == ["v0_sha256", "prompt_sha256"]
    card = parity_card([(own, on)])
    assert {"prompt_sha256", "v0_sha256"} <= set(card.varied)
    points = {point.name: point for point in card.points}
    assert "prompt" not in points
    assert "picture" not in points
    assert (points["own picture"].proven, points["own prompt"].proven, points["own picture"].of) == (2, 2, 2)
    (line,) = [line for line in card_lines(card) if "proven" in line]
    assert "image as sent" not in line
    assert "image, but for its enlargement" in line
    code, _, err = await call("compare", own.folder, on.folder)
    assert code == 2
    assert "v0_sha256 (the image as sent)" in err


async def test_where_the_model_would_see_no_larger_image_its_own_is_shown_and_counted(server, study, call, tmp_path):
    server.behave(measures_then_answers)
    code, out, err = await call("ablate", study("{rule: longest_side, limit: 50}"), "--out", "s")
    assert code == 0, err
    on, own = run_of(tmp_path / "s", "on"), run_of(tmp_path / "s", ENLARGED)
    assert [one.v0_sha256 for one in own.records] == [one.v0_sha256 for one in on.records]
    assert [one.prompt_sha256 for one in own.records] == [one.prompt_sha256 for one in on.records]
    assert "image enlarged to 1.00 times its pixels" in out
    assert "2 samples of 2 not enlarged, because the model would see it no larger" in " ".join(out.split())
    assert check_parity(tmp_path / "s") == []


@pytest.mark.parametrize(
    ("rule", "more", "expected"),
    [
        ("{rule: fixed, height: 448, width: 448}", "", "its size rule (fixed) brings every image to one size"),
        ("{rule: padded, side: 336}", "", "its size rule (padded) brings every image to one size"),
        ("null", "tasks: [detection]\n", "its entry has no size rule (`perceived`)"),
        ("{rule: native}", "NONE", "it shows no image (`picture: none`), so none can be enlarged"),
    ],
)
async def test_a_model_that_sees_nothing_larger_is_refused(server, study, call, tmp_path, rule, more, expected):
    path = study(rule, "" if more == "NONE" else more)
    if more == "NONE":
        path.write_text(path.read_text().replace("'crop,ruler'", "'crop,ruler', picture: none"))
    if "detection" in more:
        path.write_text(path.read_text().replace("samples.jsonl", "phantom:4:1").replace("'crop,ruler'", "'python'"))
    code, _, err = await call("ablate", path, "--out", "s")
    assert (code, len(server.requests)) == (2, 0), err
    assert expected in err
    assert ENLARGED in err


async def test_a_contrast_of_ones_own_says_that_the_image_is_enlarged(server, study, call, tmp_path):
    arms = "arms: {on: {tools: crop}, bigger: {tools: 'matched:enlarged'}}\n"
    path = study()
    words = (
        path.read_text().replace("designs: ['matched:enlarged']\n", "").replace("base: {tools: 'crop,ruler'}\n", arms)
    )
    path.write_text(words + "contrasts: [{a: bigger, b: 'on', varies: [tools]}]\n")
    code, _, err = await call("ablate", path, "--out", "s")
    assert (code, len(server.requests)) == (2, 0)
    assert "`varies` does not name enlarged, in which the arms also differ" in err


async def test_a_dry_run_counts_the_pixels(server, study, call):
    code, out, err = await call("ablate", study(), "--dry-run", "--json")
    assert code == 0, err
    cells = {cell["arm"]: cell["spending"] for cell in json.loads(out)["cells"]}
    assert [one["basis"] for one in cells[ENLARGED]] == [
        f"1 model call a sample with the pixels of {n} image{'s' * (n > 1)}" for n in (1, 4, 12)
    ]
    assert cells[ENLARGED][0]["input_tokens"] == cells["off"][0]["input_tokens"] < cells[ENLARGED][1]["input_tokens"]
