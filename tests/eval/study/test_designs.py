"""Shorthands expand to exactly what they are documented to."""

import pytest

from medvision_agent.api.studying import lay_out
from medvision_agent.errors import ConfigError
from medvision_agent.eval.study.designs import DESIGNS, expand
from medvision_agent.eval.study.plan import settle
from medvision_agent.eval.study.schema import Arm, Contrast, Study
from medvision_agent.tools.registry import TOOLS

ALL = list(TOOLS)


def made(*designs, **more):
    return expand(Study.model_validate({"name": "t", "models": ["oracle"], "designs": designs, **more}))


def without(name):
    return Arm(tools=",".join(tool for tool in ALL if tool != name))


ON, OFF = Arm(), Arm(tools="off")
CASES = {
    "on-off": ({"off": OFF, "on": ON}, ["off -> on"], {"tools"}),
    "each-tool-alone": (
        {"off": OFF, **{f"only-{name}": Arm(tools=name) for name in ALL}},
        [f"off -> only-{name}" for name in ALL],
        {"tools"},
    ),
    "leave-one-out": (
        {"on": ON, **{f"without-{name}": without(name) for name in ALL}},
        [f"without-{name} -> on" for name in ALL],
        {"tools"},
    ),
    "code": ({"off": OFF, "code": Arm(tools="code"), "on": ON}, ["off -> code", "code -> on"], {"tools"}),
    "spacing": ({"spacing-by-tool": Arm(spacing="tool"), "on": ON}, ["spacing-by-tool -> on"], {"spacing"}),
    "overlays": ({"no-overlays": Arm(overlays=False), "on": ON}, ["no-overlays -> on"], {"overlays"}),
    "tool-budget:1,4": (
        {"calls-1": Arm(max_tool_calls=1), "on": ON, "calls-4": Arm(max_tool_calls=4)},
        ["calls-1 -> on", "calls-4 -> on"],
        {"limits"},
    ),
    "paraphrase": ({"on": ON, "paraphrased": Arm(paragraph="paraphrased")}, ["on -> paraphrased"], {"paragraph"}),
    "must-use": ({"on": ON, "must-use": Arm(paragraph="must-use")}, ["on -> must-use"], {"paragraph"}),
    "repeat": ({"on": ON, "on-repeat": ON}, ["on -> on-repeat"], set()),
    "repeat:off": ({"off": OFF, "off-repeat": OFF}, ["off -> off-repeat"], set()),
    "controls": (
        {"on": ON, **{name: Arm(tools=name) for name in ("blind", "same-region", "again:2")}},
        ["blind -> on", "same-region -> on", "again:2 -> on"],
        {"tools"},
    ),
    "controls:blind:numbers": (
        {"blind:numbers": Arm(tools="blind:numbers"), "on": ON},
        ["blind:numbers -> on"],
        {"tools"},
    ),
    "matched": ({"off": OFF, "matched": Arm(tools="matched"), "on": ON}, ["matched -> on"], {"tools"}),
    "matched:mean": (
        {"off": OFF, "matched:mean": Arm(tools="matched:mean"), "on": ON},
        ["matched:mean -> on"],
        {"tools"},
    ),
    "matched:thinking": (
        {"off": OFF, "matched:thinking": Arm(tools="matched:thinking"), "on": ON},
        ["matched:thinking -> on"],
        {"tools"},
    ),
    "matched:enlarged": (
        {"off": OFF, "matched:enlarged": Arm(tools="matched:enlarged"), "on": ON},
        ["matched:enlarged -> on"],
        {"tools", "enlarged"},
    ),
    "result-only": (
        {"off": OFF, "result-only": Arm(tools="result-only"), "on": ON},
        ["off -> result-only", "result-only -> on"],
        {"tools"},
    ),
    "needs-picture": (
        {
            "off": OFF,
            "on": ON,
            "off-no-picture": Arm(tools="off", picture="none"),
            "on-no-picture": Arm(picture="none"),
        },
        ["off-no-picture -> off", "on-no-picture -> on"],
        {"picture"},
    ),
    "needs-picture:blank,swapped": (
        {
            "off": OFF,
            "on": ON,
            **{f"off-{one}-picture": Arm(tools="off", picture=one) for one in ("blank", "swapped")},
            **{f"on-{one}-picture": Arm(picture=one) for one in ("blank", "swapped")},
        },
        [f"{arm}-{one}-picture -> {arm}" for one in ("blank", "swapped") for arm in ("off", "on")],
        {"picture"},
    ),
    "form:cot": ({"on": ON, "cot": Arm(form="cot")}, ["on -> cot"], {"form"}),
    "recipe:paper-v1": ({"on": ON, "paper-v1": Arm(recipe="paper-v1")}, ["on -> paper-v1"], {"recipe"}),
    "display:ticks,grid": (
        {"on": ON, "ticks": Arm(display="ticks"), "grid": Arm(display="grid")},
        ["on -> ticks", "on -> grid"],
        {"display"},
    ),
    "grammar:hermes": ({"on": ON, "hermes": Arm(grammar="hermes")}, ["on -> hermes"], {"grammar"}),
    "frame:pixel": ({"on": ON, "pixel": Arm(frame="pixel")}, ["on -> pixel"], {"frame"}),
}


@pytest.mark.parametrize("design", CASES)
def test_a_shorthand_is_what_it_says(design):
    arms, contrasts = made(design)
    expected, names, varies = CASES[design]
    assert arms == expected
    assert [contrast.name for contrast in contrasts] == names
    for contrast in contrasts:
        assert set(contrast.varies) == varies == set(arms[contrast.a].differences(arms[contrast.b]))
        assert contrast.tested == (not design.startswith("repeat"))


def test_every_shorthand_is_tested_and_documented():
    assert {name.partition(":")[0] for name in CASES} == set(DESIGNS)
    assert all(apply.__doc__ for apply, _ in DESIGNS.values())


def test_shorthands_share_their_arms():
    arms, contrasts = made("on-off", "each-tool-alone", "repeat:off", "on-off")
    assert list(arms) == ["off", "on", *(f"only-{name}" for name in ALL), "off-repeat"]
    assert len(contrasts) == 1 + len(ALL) + 1


def test_the_base_is_what_is_changed():
    base = {"tools": "crop,ruler", "form": "cot"}
    arms, _ = made("leave-one-out", "controls:sham,again:2", base=base)
    assert {name: arm.tools for name, arm in arms.items()} == {
        "without-crop": "ruler",
        "on": "crop,ruler",
        "without-ruler": "crop",
        "sham": "sham/crop,ruler",
        "again:2": "again:2",
    }
    assert {arm.form for arm in arms.values()} == {"cot"}


def test_everything_is_crossed():
    arms, contrasts = made("on-off", "repeat", cross={"form": ["direct", "cot"], "frame": ["pixel"]})
    assert list(arms) == [f"{arm}@{form}@pixel" for form in ("direct", "cot") for arm in ("off", "on", "on-repeat")]
    assert arms["off@cot@pixel"] == Arm(tools="off", form="cot", frame="pixel")
    assert [contrast.name for contrast in contrasts if contrast.tested] == [
        "off@direct@pixel -> on@direct@pixel",
        "off@cot@pixel -> on@cot@pixel",
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"designs": ["onoff"]}, "Did you mean 'on-off'?"),
        ({"designs": ["on-off:3"]}, "on-off:3: expected the form on-off"),
        ({"designs": ["tool-budget"]}, "expected the form tool-budget:N,N"),
        ({"designs": ["tool-budget:some"]}, "expected whole numbers"),
        ({"designs": ["repeat:of"]}, "repeat:of: expected `on`, `off`, an arm of the key `arms` or of a design above"),
        ({"designs": ["form:direct"]}, "the base has this value itself"),
        ({"designs": ["leave-one-out"], "base": {"tools": "crop"}}, "fewer than two tools"),
        (
            {"designs": ["on-off"], "base": {"tools": "off"}},
            "base.tools: off; the arm `on` of the designs is the base itself",
        ),
        ({"designs": ["on-off"], "arms": {"on": {"tools": "crop"}}}, "two different arms are called 'on'"),
        ({"designs": ["form:cot"], "cross": {"form": ["cot"]}}, "the contrast on -> cot varies this already"),
    ],
)
def test_what_cannot_be_is_refused(settings, expected):
    with pytest.raises(ConfigError) as caught:
        made(*settings["designs"], **{key: value for key, value in settings.items() if key != "designs"})
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("contrast", "expected"),
    [
        ({"a": "off", "b": "cott"}, "no arm is called 'cott'; known: "),
        ({"a": "off", "b": "cot"}, "`varies` does not name form, in which the arms also differ"),
        (
            {"a": "off", "b": "cot", "varies": ["tools", "form", "frame"]},
            "`varies` names frame, but the arms are equal in it",
        ),
        ({"a": "off", "b": "off", "varies": []}, "cannot be compared with itself"),
    ],
)
def test_a_contrast_says_what_it_varies(contrast, expected):
    arms = {"cot": {"form": "cot"}}
    with pytest.raises(ConfigError) as caught:
        made("on-off", arms=arms, contrasts=[contrast])
    assert expected in str(caught.value)
    _, contrasts = made("on-off", arms=arms, contrasts=[{"a": "off", "b": "cot", "varies": ["tools", "form"]}])
    assert contrasts[-1] == Contrast(a="off", b="cot", varies=("tools", "form"))


def test_shorthands_keep_the_variants_of_the_base():
    base = {"tools": "crop,ruler,segment@watershed"}
    arms, _ = made("leave-one-out", "each-tool-alone", "controls:sham", base=base)
    assert arms["without-crop"].tools == "ruler,segment@watershed"
    assert arms["only-segment@watershed"].tools == "segment@watershed"
    assert arms["sham"].tools == "sham/crop,ruler,segment@watershed"


def test_a_contrast_is_declared_once():
    twice = [{"a": "off", "b": "cot", "varies": varies} for varies in (["tools", "form"], ["form", "tools"])]
    _, contrasts = made("on-off", arms={"cot": {"form": "cot"}}, contrasts=twice)
    assert [contrast.name for contrast in contrasts] == ["off -> on", "off -> cot"]
    with pytest.raises(ConfigError, match="off -> on: is declared twice, once as a test"):
        made("on-off", contrasts=[{"a": "off", "b": "on", "varies": ["tools"], "tested": False}])


def test_a_study_goes_on_with_the_arms_its_designs_had_when_it_was_begun(tmp_path):
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    text = "name: t\nmodels: [baseline-prior]\nlimit: 1\ndesigns: [controls]\n"
    file.write_text(text.replace("[controls]", '["controls:blind,sham,again:2"]'), encoding="utf-8")
    begun = lay_out(file, out).plan
    settle(out, begun.but(study={**begun.study, "designs": ["controls"]}))
    file.write_text(text, encoding="utf-8")
    again = lay_out(file, out).plan
    assert (again.arms, again.contrasts, again.family) == (begun.arms, begun.contrasts, begun.family)
    assert {"sham -> on", "blind -> on"} <= {key.contrast for key in again.family}
    assert settle(out, again), "it goes on"
    assert "sham" not in lay_out(file, tmp_path / "new").plan.arms
