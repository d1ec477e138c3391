"""A stored run or study keeps the month of its tools: what ``on`` meant, and the words of tools that are named."""

import asyncio

import pytest

from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.rerun import settings_of
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.designs import expand
from medvision_agent.eval.study.plan import month_of
from medvision_agent.eval.study.schema import Study
from medvision_agent.tools.registry import NEWEST, installed

THEN = "2026-11"


async def run(**settings):
    asked = Settings(model="baseline-prior", selection=Selection(tasks=("distance",), limit=1), **settings)
    return await execute(prepare(asked), watch=Watch(), stop=asyncio.Event())


def plain(settings, **changes):
    """Return the settings of the same command without a month."""
    return settings.but(tools_dated=None, **changes)


@pytest.mark.parametrize("tools", ["on", "ruler,crop", "blind/fit_contour", "sham"])
async def test_a_run_goes_on_and_is_asked_again_in_its_month(tmp_path, tools):
    begun = await run(tools=tools, tools_dated=THEN, out=tmp_path / "run")
    assert begun.config["tools_dated"] == THEN
    again = settings_of(begun, tmp_path / "again")
    assert again.tools_dated == THEN
    assert prepare(again).identity == begun.identity
    assert prepare(plain(again)).identity.tool_schemas_sha256 != begun.identity.tool_schemas_sha256
    resumed = plain(again, out=begun.folder, resume=True)
    assert prepare(resumed).identity == begun.identity
    await execute(prepare(resumed), watch=Watch(), stop=asyncio.Event())
    assert open_run(begun.folder).identity.tool_set == (THEN if tools in {"on", "sham"} else "")
    other = prepare(resumed.but(tools_dated=NEWEST))
    with pytest.raises(StorageError, match="tool_schemas_sha256"):
        await execute(other, watch=Watch(), stop=asyncio.Event())


async def test_a_run_that_kept_no_month_is_of_the_first_set(tmp_path):
    begun = await run(out=tmp_path / "run")
    assert (begun.identity.tool_set, begun.config["tools_dated"]) == (NEWEST, NEWEST)
    config = {key: value for key, value in begun.config.items() if key != "tools_dated"}
    assert Settings.read(config).tools_dated == THEN


def test_an_unknown_month_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ConfigError, match="no set of tools is dated '2020-01'; known sets: on@2026-11"):
        prepare(Settings(model="baseline-prior", tools_dated="2020-01", out=tmp_path))


@pytest.mark.parametrize(
    ("base", "registry", "dated"),
    [
        ({}, NEWEST, None),
        ({"tools": f"on@{THEN}"}, NEWEST, THEN),
        ({"tools": f"on@{THEN}"}, THEN, None),
        ({"tools_dated": THEN}, NEWEST, THEN),
        ({"tools": "crop,ruler", "tools_dated": THEN}, NEWEST, THEN),
    ],
)
@pytest.mark.parametrize("design", ["leave-one-out", "each-tool-alone"])
def test_the_arms_of_some_tools_have_the_words_of_the_base(design, base, registry, dated):
    study = Study.model_validate({"name": "t", "models": ["oracle"], "designs": [design], "base": base})
    arms, contrasts = expand(study, installed().dated(registry))
    some = [arm for name, arm in arms.items() if name.startswith(("without-", "only-"))]
    assert {arm.tools_dated for arm in some} == {dated}
    assert {contrast.varies for contrast in contrasts} == {("tools",)}
    assert ("without-mark" in arms or "only-mark" in arms) == (not base)


def test_a_new_study_is_of_the_newest_month(tmp_path):
    assert month_of(tmp_path) == NEWEST
