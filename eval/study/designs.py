"""Shorthands of the usual designs: each adds arms and declared contrasts.

Contract: an arm of a shorthand is the study's `base` with one change, which its name states, and a contrast declares
exactly this change. Shorthands may share an arm (`on`, `off`); one name never means two different arms.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import get_args

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.made import ENLARGED, RESULT_ONLY
from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.settings.settings import Picture
from medvision_agent.eval.study.schema import Arm, Contrast, Cross, Study
from medvision_agent.tools.registry import Registry, installed

__all__ = ["DESIGNS", "Design", "expand"]


@dataclass
class Design:
    """The arms (by name) and contrasts of a study, while its designs add to them."""

    base: Arm
    registry: Registry
    """The tools that arms may name."""
    arms: dict[str, Arm] = field(default_factory=dict)
    contrasts: list[Contrast] = field(default_factory=list)

    def add(self, name: str, arm: Arm) -> str:
        """Add an arm under *name*, and return the name; ConfigError if a different arm has the name already."""
        if self.arms.setdefault(name, arm) != arm:
            differ = ", ".join(arm.differences(self.arms[name]))
            raise ConfigError(
                f"two different arms are called {name!r} (they differ in {differ}); rename the one of the key `arms`, "
                "or leave out the design that adds the other"
            )
        return name

    def on(self) -> str:
        """Add the base itself as the arm `on`, and return this name; ConfigError if the base has no tools."""
        if self.base.tools == "off":
            raise ConfigError(
                "base.tools: off; the arm `on` of the designs is the base itself and needs tools: state `tools: on`, "
                "or tools by their names"
            )
        return self.add("on", self.base)

    def off(self) -> str:
        """Add the base without tools as the arm `off`, and return this name."""
        return self.condition("off", "off")

    def condition(self, name: str, tools: str) -> str:
        """Add the base with the tool condition *tools* as the arm *name*, and return this name."""
        return self.add(name, self.base.but(tools=tools))

    def some(self, name: str, tools: Sequence[str]) -> str:
        """Add the base with only these of its tools as the arm *name*, and return this name.

        The prompt words them as a set of the base's month.
        """
        month = self._whole().tool_set or self.base.tools_dated
        dated = self.base.tools_dated if month == self.registry.month else month
        return self.add(name, self.base.but(tools=",".join(tools), tools_dated=dated))

    def compare(self, a: str, b: str, *varies: str, tested: bool = True) -> None:
        """Declare the contrast of arm *b* with arm *a*, unless it is declared; *varies* names the settings that differ.

        Raises ConfigError if it is declared both as a test and not as one.
        """
        contrast = Contrast.model_validate({"a": a, "b": b, "varies": varies, "tested": tested})
        before = next((one for one in self.contrasts if one.name == contrast.name), None)
        if before is None:
            self.contrasts.append(contrast)
        elif before.tested != contrast.tested:
            raise ConfigError(
                f"contrasts: {contrast.name}: is declared twice, once as a test and once with `tested: false`; keep "
                "one of them"
            )

    def tools(self) -> list[str]:
        """Return the names of the base's tools, as its tool condition writes them."""
        return [tool.label for tool in self._whole().tools]

    def _whole(self) -> Condition:
        return Condition.parse(self.base.tools, self.registry.dated(self.base.tools_dated))


def _on_off(design: Design, values: list[str]) -> None:  # noqa: ARG001 - one signature for all
    """Arms `off` and `on`; `off -> on`."""
    design.compare(design.off(), design.on(), "tools")


def _each_tool_alone(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `off`, and `only-TOOL` for each tool of the base; `off -> only-TOOL`."""
    for name in design.tools():
        design.compare(design.off(), design.some(f"only-{name}", [name]), "tools")


def _leave_one_out(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `on`, and `without-TOOL` for each tool of the base; `without-TOOL -> on`."""
    tools = design.tools()
    if len(tools) < 2:
        raise ConfigError(
            "designs: leave-one-out: the base has fewer than two tools, so none can be left out; name more in "
            "base.tools"
        )
    for name in tools:
        others = [other for other in tools if other != name]
        design.compare(design.some(f"without-{name}", others), design.on(), "tools")


def _code(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `off`, `code` (the provider's own code execution) and `on`; `off -> code`, `code -> on`."""
    design.compare(design.off(), design.condition("code", "code"), "tools")
    design.compare("code", design.on(), "tools")


def _spacing(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `on` and `spacing-by-tool`, whose prompt does not state the size of a pixel; `spacing-by-tool -> on`."""
    design.compare(design.add("spacing-by-tool", design.base.but(spacing="tool")), design.on(), "spacing")


def _overlays(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `on` and `no-overlays`, which shows no images drawn by tools; `no-overlays -> on`."""
    design.compare(design.add("no-overlays", design.base.but(overlays=False)), design.on(), "overlays")


def _tool_budget(design: Design, values: list[str]) -> None:
    """Arms `on`, and `calls-N` with at most N tool calls for each N given; `calls-N -> on`."""
    for value in values:
        arm = design.add(f"calls-{int(value)}", design.base.but(max_tool_calls=int(value)))
        design.compare(arm, design.on(), "limits")


def _paraphrase(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `on` and `paraphrased`: the tool paragraph in other words; `on -> paraphrased`."""
    design.compare(design.on(), design.add("paraphrased", design.base.but(paragraph="paraphrased")), "paragraph")


def _must_use(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `on` and `must-use`: the tool paragraph demands that a tool is called; `on -> must-use`."""
    design.compare(design.on(), design.add("must-use", design.base.but(paragraph="must-use")), "paragraph")


def _repeat(design: Design, values: list[str]) -> None:
    """The same arm a second time, `on` or the one named, as `ARM-repeat`: the noise floor; `ARM -> ARM-repeat`.

    It does not belong to the family of tests.
    """
    name = values[0] if values else "on"
    if name in {"on", "off"}:
        (design.on if name == "on" else design.off)()
    if name not in design.arms:
        raise ConfigError(
            f"designs: repeat:{name}: expected `on`, `off`, an arm of the key `arms` or of a design "
            f"above.{nearest(name, design.arms)}"
        )
    design.compare(name, design.add(f"{name}-repeat", design.arms[name]), tested=False)


def _controls(design: Design, values: list[str]) -> None:
    """Arms `on`, and one for each control named, by default `blind`, `same-region` and `again:2`; `CONTROL -> on`.

    Each contrast isolates one explanation: the information tools return (`blind`), the new detail of their images
    (`same-region`), or merely having more turns (`again:N`); see below.
    """
    for value in values or ["blind", "same-region", "again:2"]:
        subset = "" if value.startswith("again") or design.base.tools == "on" else f"/{design.base.tools}"
        design.compare(design.condition(value, f"{value}{subset}"), design.on(), "tools")


def _matched(design: Design, values: list[str]) -> None:
    """Arms `off`, `on` and `matched`; `matched -> on`, the primary contrast of a study that has it.

    `matched` draws at most 64 answers without tools, until they have cost the output tokens that `on` spent on that
    sample, and combines them; `matched:mean` draws the same number for every sample; `matched:thinking` gives one
    answer, which may think as much; `matched:enlarged` gives one answer to the image enlarged to the pixels that `on`
    was shown (it varies `tools` and `enlarged`).
    """
    if unknown := [value for value in values if value not in _MATCHED]:
        known = [f"matched:{value}" for value in _MATCHED]
        raise ConfigError(f"designs: matched:{unknown[0]}: expected matched, {', '.join(known[:-1])} or {known[-1]}")
    design.off()
    name = ":".join(["matched", *values[:1]])
    enlarged = ["enlarged"] if name == ENLARGED else []
    design.compare(design.condition(name, name), design.on(), "tools", *enlarged)


def _result_only(design: Design, values: list[str]) -> None:  # noqa: ARG001
    """Arms `off`, `on` and `result-only`; `off -> result-only`, `result-only -> on`.

    `result-only` gets the results of its own model handed back: what the tools of `on` returned for the same sample,
    with the question but without any text of the model. It calls no tool.
    """
    design.compare(design.off(), design.condition(RESULT_ONLY, RESULT_ONLY), "tools")
    design.compare(RESULT_ONLY, design.on(), "tools")


def _needs_picture(design: Design, values: list[str]) -> None:
    """Arms `off` and `on`, and `off-no-picture` and `on-no-picture`; `off-no-picture -> off`, `on-no-picture -> on`.

    Images may be named: `none` (the default), `blank` and `swapped`, each with separate arms (`off-swapped-picture`).
    Shows how much of a score is due to the image, with and without tools; see below.
    """
    for value in values or ["none"]:
        if value not in _OTHER_PICTURES:
            hint = nearest(value, _OTHER_PICTURES)
            raise ConfigError(f"designs: needs-picture:{value}: expected {' or '.join(_OTHER_PICTURES)}.{hint}")
        if value == design.base.picture:
            raise ConfigError(
                f"designs: needs-picture:{value}: the base has this value itself (base.picture), so nothing would "
                "differ; name another"
            )
        for name in (design.off(), design.on()):
            other = f"{name}-{'no' if value == 'none' else value}-picture"
            design.compare(design.add(other, design.arms[name].but(picture=value)), name, "picture")


_MATCHED = ("mean", "thinking", "enlarged")
_OTHER_PICTURES = tuple(kind for kind in get_args(Picture) if kind != "own")
_BOXES = (
    "MedVision's convention keeps MedVision's rule of reading a box, the others have ours: compare success rates too."
)


def _vary(key: str, noun: str, more: str = "") -> Callable[[Design, list[str]], None]:
    """Return a design that adds, for each given value of the setting *key*, an arm and its contrast with `on`.

    *noun* and *more* describe the arms in the documentation.
    """

    def apply(design: Design, values: list[str]) -> None:
        for value in values:
            if value == getattr(design.base, key):
                raise ConfigError(
                    f"designs: {key}:{value}: the base has this value itself (base.{key}), so nothing would differ; "
                    "name another"
                )
            design.compare(design.on(), design.add(value, design.base.but(**{key: value})), key)

    apply.__doc__ = f"Arms `on`, and one called as each {noun} given; `on -> {key.upper()}`.{more}"
    return apply


DESIGNS: dict[str, tuple[Callable[[Design, list[str]], None], str]] = {
    "on-off": (_on_off, ""),
    "each-tool-alone": (_each_tool_alone, ""),
    "leave-one-out": (_leave_one_out, ""),
    "code": (_code, ""),
    "spacing": (_spacing, ""),
    "display": (_vary("display", "display"), "DISPLAY,DISPLAY"),
    "overlays": (_overlays, ""),
    "tool-budget": (_tool_budget, "N,N"),
    "paraphrase": (_paraphrase, ""),
    "must-use": (_must_use, ""),
    "repeat": (_repeat, "[ARM]"),
    "controls": (_controls, "[CONTROL,CONTROL]"),
    "matched": (_matched, "[mean or thinking or enlarged]"),
    "result-only": (_result_only, ""),
    "needs-picture": (_needs_picture, "[PICTURE,PICTURE]"),
    "form": (_vary("form", "prompt form", " What tools do under each is `cross`."), "FORM,FORM"),
    "recipe": (_vary("recipe", "recipe"), "RECIPE,RECIPE"),
    "frame": (_vary("frame", "coordinate convention", f" {_BOXES}"), "FRAME,FRAME"),
    "grammar": (_vary("grammar", "grammar of tool calls in text"), "GRAMMAR,GRAMMAR"),
}
"""Shorthands by name, each with the text that may follow its name and a colon; optional if in brackets."""


def expand(study: Study, registry: Registry | None = None) -> tuple[dict[str, Arm], tuple[Contrast, ...]]:
    """Return all arms (by name) and declared contrasts of a study, crossed with its factors.

    *registry* holds the tools that can be named; default: the shipped tools and those of installed packages. Raises
    ConfigError that names the key if a design, a contrast or a crossed factor is not possible.
    """
    design = Design(study.base, registry or installed(), dict(study.arms))
    for text in study.designs:
        name, _, rest = text.partition(":")
        if name not in DESIGNS:
            raise ConfigError(
                f"designs: {name!r} is not a design; known: {', '.join(DESIGNS)}.{nearest(name, DESIGNS)}"
            )
        apply, takes = DESIGNS[name]
        values = [value.strip() for value in rest.split(",") if value.strip()]
        if (values and not takes) or (not values and takes and not takes.startswith("[")):
            raise ConfigError(
                f"designs: {text}: expected the form {name}{':' + takes if takes else ''} (docs/studies.md)"
            )
        if name == "tool-budget" and not all(re.fullmatch(r"[1-9]\d{0,3}", value) for value in values):
            raise ConfigError(f"designs: {text}: expected whole numbers of tool calls, such as tool-budget:1,2,4")
        apply(design, values)
    for contrast in study.contrasts:
        _check(contrast, design.arms)
        design.compare(contrast.a, contrast.b, *contrast.varies, tested=contrast.tested)
    return _crossed(study.cross, design)


def _check(contrast: Contrast, arms: Mapping[str, Arm]) -> None:
    """Raise ConfigError if a contrast names an unknown arm, or does not declare the actual differences of its arms."""
    for name in (contrast.a, contrast.b):
        if name not in arms:
            raise ConfigError(
                f"contrasts: {contrast.name}: no arm is called {name!r}; known: {', '.join(arms)}.{nearest(name, arms)}"
            )
    found, said = set(arms[contrast.a].differences(arms[contrast.b])), set(contrast.varies)
    if contrast.a == contrast.b:
        raise ConfigError(
            f"contrasts: {contrast.name}: an arm cannot be compared with itself; to ask it twice, use the design repeat"
        )
    if more := sorted(found - said):
        raise ConfigError(
            f"contrasts: {contrast.name}: `varies` does not name {', '.join(more)}, in which the arms also differ; "
            "name it in `varies`, or make the arms equal in it"
        )
    if less := sorted(said - found):
        raise ConfigError(
            f"contrasts: {contrast.name}: `varies` names {', '.join(less)}, but the arms are equal in it; take it out "
            "of `varies`, or change an arm"
        )


def _crossed(cross: Cross, design: Design) -> tuple[dict[str, Arm], tuple[Contrast, ...]]:
    factors = {name: values for name, values in cross if values}
    if not factors:
        return design.arms, tuple(design.contrasts)
    arms: dict[str, Arm] = {}
    contrasts: list[Contrast] = []
    for levels in product(*factors.values()):
        changes, ending = dict(zip(factors, levels, strict=True)), "".join(f"@{level}" for level in levels)
        arms |= {f"{name}{ending}": arm.but(**changes) for name, arm in design.arms.items()}
        for one in design.contrasts:
            if both := sorted(set(one.varies) & factors.keys()):
                raise ConfigError(
                    f"cross: {', '.join(both)}: the contrast {one.name} varies this already; take it out of `cross` "
                    "or of the contrast"
                )
            contrasts.append(one.model_copy(update={"a": f"{one.a}{ending}", "b": f"{one.b}{ending}"}))
    return arms, tuple(contrasts)
