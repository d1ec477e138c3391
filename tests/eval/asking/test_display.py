"""A run under a display: what is sent, stored, compared and resumed."""

import asyncio
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import ConfigError, DataError, StorageError
from medvision_agent.eval.asking.estimate import estimate
from medvision_agent.eval.asking.launch import execute, prepare, views_of
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.study.schema import VARIES
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.png import decode_png, encode_png

SIZES = Selection(tasks=("size",), limit=1)


async def run(folder, **settings):
    asked = {"model": "baseline-cv", "display": "ticks", "selection": SIZES, "out": folder, **settings}
    return await execute(prepare(Settings.model_validate(asked)), watch=Watch(), stop=asyncio.Event())


async def test_both_arms_are_sent_the_same_drawn_picture_and_can_be_resumed(tmp_path):
    off, on = [await run(tmp_path / tools, tools=tools) for tools in ("off", "on")]
    assert run_parity(off, on) == []
    assert "display ticks" in " ".join(on.facts)
    for done in (off, on):
        (record,) = done.records
        prepared = prepare(Settings(model="baseline-cv", display="ticks", selection=SIZES))
        views = views_of(prepared, prepared.recipe.slice_of(prepared.source.load(record.sample), record.sample))
        sent = picture_path(done.folder, record.v0_sha256).read_bytes()
        assert sent == encode_png(shown(views, views.whole))
        assert (decode_png(sent) != views.whole.pixels).any()
    crops = [call for call in read_trace(on.folder, on.records[0].sample.id)["tool_calls"] if call["tool"] == "crop"]
    crop = decode_png(picture_path(on.folder, crops[0]["picture"]).read_bytes())
    assert (crop[0] == 255).sum() >= 9, "ticks along the upper edge of the crop"
    assert (await run(tmp_path / "on", tools="on", resume=True)).records == on.records
    with pytest.raises(StorageError, match="display"):
        await run(tmp_path / "on", tools="on", resume=True, display="grid")


async def test_runs_with_different_displays_are_compared_only_where_a_study_varies_it(tmp_path):
    plain, ticks = [await run(tmp_path / display, tools="off", display=display) for display in ("plain", "ticks")]
    assert plain.identity.display_sha256 is None
    lines = run_parity(plain, ticks)
    assert lines[0] == 'display: "plain" in A, "ticks" in B'
    assert {line.split(":")[0].split(" ")[0] for line in lines} == {
        "display",
        "display_sha256",
        "prompt_sha256",
        "v0_sha256",
    }
    assert run_parity(plain, ticks, free=VARIES["display"].changes) == []


async def test_an_image_too_small_for_its_display_is_named(tmp_path):
    small = {"tools": "off", "display": "grid", "selection": Selection(tasks=("distance",), limit=1)}
    done = await run(tmp_path / "run", **small)
    assert done.records[0].outcome is Outcome.UNREADABLE
    assert "47 x 73 pixels, too few to draw the display grid" in done.records[0].detail
    with pytest.raises(DataError, match="tpt_ct_sag__dist_postheight: its image has 47 x 73 pixels"):
        estimate(prepare(Settings.model_validate({"model": "baseline-cv", **small})))


def test_a_replay_has_no_display():
    rows = Path(__file__).parents[3] / "examples" / "published-gemini" / "models.yaml"
    asked = Settings(model="published-literal", models_file=rows, tools="off", recipe="paper-v1")
    assert prepare(asked, asking=False).wording.display == "plain"
    with pytest.raises(ConfigError, match="have nothing drawn on them; set --display plain instead of ticks"):
        prepare(asked.but(display="ticks"), asking=False)


def test_what_is_drawn_is_grey():
    prepared = prepare(Settings(model="baseline-cv", display="grid", selection=SIZES))
    sample = prepared.samples[0]
    views = views_of(prepared, prepared.recipe.slice_of(prepared.source.load(sample), sample))
    assert shown(views, views.whole).dtype == np.uint8
    assert sha256(encode_png(views.whole.pixels)).digest() != sha256(encode_png(shown(views, views.whole))).digest()
