"""Runs in which every end is looked at in a crop of its own: explained, located, scored and stored as measured."""

import sqlite3
from contextlib import closing

import pytest

from medvision_agent.agent.policies.policy import final
from medvision_agent.errors import DamageError
from medvision_agent.eval.parts.looked import look_at
from medvision_agent.eval.place.rule import Place
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tables.frames import samples_table
from medvision_agent.eval.why.samples import sample_whys
from medvision_agent.quantity import ANGLE_DEG, BOX
from medvision_agent.tools.view.geometry import Size

from . import conftest as planted

RULES = PROTOCOLS["medvision-1.2"]
NAMES = "<answer>A and B</answer>"


def own_crops(look):
    """A model that crops around each true end; it measures between points as text, and boxes between marks."""
    crops, texts = [], []
    for u, v in look.brief.truth:
        x, y = u, 1 - v
        near = {"x0": max(0.0, x - 0.1), "y0": max(0.0, y - 0.1), "x1": min(1.0, x + 0.1), "y1": min(1.0, y + 0.1)}
        reply = yield "crop", {"view": "v0", "zoom": 3.0, **near}
        x = (x - reply["v0_x0"]) / (reply["v0_x1"] - reply["v0_x0"])
        y = (y - reply["v0_y0"]) / (reply["v0_y1"] - reply["v0_y0"])
        crops.append({"view": reply["view"], "x": min(max(x, 0.0), 1.0), "y": min(max(y, 0.0), 1.0)})
        written = look.frame.from_unit(x, 1 - y, Size(reply["height_px"], reply["width_px"]))
        texts.append(f"{reply['view']}: y={written[1]:.12f}, x={written[0]:.12f}")
    if look.brief.quantity == BOX:
        for name, crop in zip("AB", crops, strict=True):
            yield "mark", {"name": name, **crop}
        return NAMES
    if look.brief.quantity == ANGLE_DEG:
        given = dict(zip(("mark_a0", "mark_a1", "mark_b0", "mark_b1"), texts, strict=True))
        reply = yield "protractor", given
        return final(reply["acute_angle_deg"], decimals=4)
    values = []
    for a, b in zip(texts[::2], texts[1::2], strict=True):
        reply = yield "ruler", {"mark0": a, "mark1": b}
        values.append(reply["distance_mm"])
    return final(*values, decimals=4)


@pytest.mark.parametrize("frame", ["medvision", "norm1000-yx", "pixel"])
async def test_points_of_several_views_are_explained_and_located(planted_run, frame):
    run = await planted_run(own_crops, "on", frame=frame)
    lengths = [why for why in sample_whys(run, RULES) if why.quantities]
    assert len(lengths) == 3 * planted.COUNT
    for part in (part for why in lengths for part in why.quantities.values()):
        assert part.source in {"ruler", "protractor"}
        assert max(abs(part.unit), abs(part.arithmetic), abs(part.seeing)) < 2e-3
    located = look_at(run, RULES).located
    assert [one.place for one in located] == [Place.RIGHT] * (4 * planted.COUNT)
    boxes = [record for record in run.records if record.sample.asks.is_box]
    assert [record.as_written for record in boxes] == [NAMES] * planted.COUNT
    for record in boxes:
        for rules in PROTOCOLS.values():
            assert score_record(record, rules).values == pytest.approx(record.sample.target, abs=6e-5)


async def test_what_was_written_is_stored_sealed_and_in_the_table(planted_run):
    run = await planted_run(own_crops, "on", frame="norm1000-yx")
    record = next(record for record in run.records if record.sample.asks.is_box)
    assert record.response.count(",") == 3
    table = samples_table({"run": run.folder}, RULES).frame().set_index("id")
    assert (table.response_as_written == NAMES).sum() == table.response_as_written.notna().sum() == planted.COUNT
    assert table.response[record.sample.id] == record.response
    old = record.model_dump(exclude={"as_written"})
    assert Record.model_validate(old).as_written is None
    with closing(sqlite3.connect(run.folder / "run.sqlite")) as database, database:
        database.execute("UPDATE record SET json = replace(json, 'A and B', 'A and C')")
    with pytest.raises(DamageError, match="record"):
        open_run(run.folder)
