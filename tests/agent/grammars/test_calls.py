# ruff: noqa: E501, ISC004 - a table of spellings as they come
"""Calls written in text: how models write them, what is none, what is cut off, and that no text breaks the reader."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.agent.grammars.calls import READ, parse_calls
from medvision_agent.agent.grammars.scan import Scan

NAMES = ("pixel_spacing", "crop", "ruler")
R = '{"name": "ruler", "arguments": {"view": "v0", "x0": 0.15, "y0": 1}}'
C = '{"name": "crop", "arguments": {"view": "v0", "x0": 0.25}}'
RULER = ("ruler", {"view": "v0", "x0": 0.15, "y0": 1})
CROP = ("crop", {"view": "v0", "x0": 0.25})
SPACING = ("pixel_spacing", {})
PRETTY = json.dumps(json.loads(R), indent=2)
WRITTEN = {
    # The grammar of the prompt, and small slips
    "one line": (f"```tool_call\n{R}\n```", [RULER]),
    "several lines": (f"I look.\n```tool_call\n{R}\n{C}\n```\n", [RULER, CROP]),
    "pretty-printed": (f"```tool_call\n{PRETTY}\n```", [RULER]),
    "several pretty-printed": (f"```tool_call\n{PRETTY}\n{PRETTY}\n```", [RULER, RULER]),
    "a list": (f"```tool_call\n[{R},\n {C}]\n```", [RULER, CROP]),
    "two blocks": (f"```tool_call\n{R}\n```\nand\n```tool_call\n{C}\n```", [RULER, CROP]),
    "on the fence's own line": (f"```tool_call {R}```", [RULER]),
    "fence not closed": (f"```tool_call\n{R}\n", [RULER]),
    "json fence": (f"Sure!\n```json\n{R}\n```\nDone.", [RULER]),
    "plain fence": (f"```\n{R}\n```", [RULER]),
    "name alone": ("```tool_call\npixel_spacing\n```", [SPACING]),
    "object with a name alone": ('```json\n{"name": "pixel_spacing"}\n```', [SPACING]),
    "one brace short": (f"```tool_call\n{R[:-1]}\n```", [RULER]),
    "one brace short at the end": (R[:-1], [RULER]),
    "a brace too many": (f"```tool_call\n{R}}}\n```", [RULER]),
    "flat": ('```tool_call\n{"name": "ruler", "view": "v0", "x0": 0.15, "y0": 1}\n```', [RULER]),
    "keyed by name": ('```tool_call\n{"ruler": {"view": "v0", "x0": 0.15, "y0": 1}}\n```', [RULER]),
    "unknown in the exact form": ('```json\n{"name": "zoom", "arguments": {"x": 1}}\n```', [("zoom", {"x": 1})]),
    # Qwen2.5-VL, Qwen3, Hermes, InternVL3
    "Hermes": (f"<tool_call>\n{R}\n</tool_call>", [RULER]),
    "Hermes, several": (f"<tool_call>\n{R}\n</tool_call>\n<tool_call>\n{C}\n</tool_call>", [RULER, CROP]),
    "Hermes, two in one": (f"<tool_call>\n{R}\n{C}\n</tool_call>", [RULER, CROP]),
    "Hermes, not closed": (f"I'll measure.\n<tool_call>\n{R}", [RULER]),
    "Hermes, Python dict": (
        "<tool_call>\n{'name': 'ruler', 'arguments': {'view': 'v0', 'x0': 0.15, 'y0': 1}}\n</tool_call>",
        [RULER],
    ),
    "Hermes, fenced inside": (f"<tool_call>\n```json\n{R}\n```\n</tool_call>", [RULER]),
    "Hermes, fenced outside": (f"```xml\n<tool_call>{R}</tool_call>\n```", [RULER]),
    "Hermes, after thoughts": (f"<think>\nMaybe {C}?\n</think>\n\n<tool_call>\n{R}\n</tool_call>", [RULER]),
    "Hermes, end of turn": (f"<tool_call>\n{R}\n</tool_call><|im_end|>", [RULER]),
    "Hermes, unknown tool": ('<tool_call>{"name": "zoom", "arguments": {}}</tool_call>', [("zoom", {})]),
    "Qwen3-Coder": (
        "<tool_call>\n<function=ruler>\n<parameter=view>\nv0\n</parameter>\n<parameter=x0>\n0.15\n</parameter>\n"
        "<parameter=y0>\n1\n</parameter>\n</function>\n</tool_call>",
        [RULER],
    ),
    "Qwen3-Coder, no arguments": ("<function=pixel_spacing>\n</function>", [SPACING]),
    "function_call tags": (f"<function_call>{R}</function_call>", [RULER]),
    "InternLM": (f"I look.<|action_start|><|plugin|>\n{R.replace('arguments', 'parameters')}<|action_end|>", [RULER]),
    # Llama 3.x
    "Llama, bare": (R.replace("arguments", "parameters"), [RULER]),
    "Llama, with a type": (R.replace('"name"', '"type": "function", "name"').replace("arguments", "parameters"), [RULER]),
    "Llama, two by semicolon": (f"{R}; {C}", [RULER, CROP]),
    "Llama, python tag": (f"<|python_tag|>{R.replace('arguments', 'parameters')}<|eom_id|>", [RULER]),
    "Llama, python tag and call": ('<|python_tag|>ruler.call(view="v0", x0=0.15, y0=1)', [RULER]),
    "Llama, function tag": ('<function=ruler>{"view": "v0", "x0": 0.15, "y0": 1}</function>', [RULER]),
    "Llama, pythonic": ('[ruler(view="v0", x0=0.15, y0=1), crop(view="v0", x0=0.25)]', [RULER, CROP]),
    "Llama, pythonic without arguments": ("[pixel_spacing()]", [SPACING]),
    # Gemma 3, MedGemma
    "Gemma, tool_code": ('```tool_code\nruler(view="v0", x0=0.15, y0=1)\n```', [RULER]),
    "Gemma, print": ('```tool_code\nprint(default_api.ruler(view="v0", x0=0.15, y0=1))\n```', [RULER]),
    "Gemma, assigned": ("```tool_code\nd = ruler(view='v0', x0=0.15, y0=1)\nprint(d)\n```", [RULER]),
    "Gemma, list in a fence": ("```tool_code\n[ruler(view='v0', x0=0.15, y0=1), pixel_spacing()]\n```", [RULER, SPACING]),
    "Gemma, python fence": ("```python\nd = ruler(view='v0', x0=.15, y0=+1)\n```", [RULER]),
    "Gemma, over lines": ("Okay.\n\nruler(\n    view=v0,\n    x0=0.15,  # left\n    y0=1,\n)\n", [RULER]),
    "Gemma 4": ('<|tool_call>call:ruler{view:<|"|>v0<|"|>,x0:0.15,y0:1}<tool_call|>', [RULER]),
    "FunctionGemma": ("<start_function_call>call:crop{view:<escape>v0<escape>,x0:0.25}<end_function_call>", [CROP]),
    "MedGemma, thoughts": (f"<unused94>thought\n{C}<unused95>```json\n{R}\n```", [RULER]),
    # Mistral, Pixtral
    "Mistral": (f"[TOOL_CALLS] [{R}, {C}]", [RULER, CROP]),
    "Mistral, one object": (f"[TOOL_CALLS]{R}", [RULER]),
    "Mistral, later": ('[TOOL_CALLS]crop[ARGS]{"view": "v0", "x0": 0.25}[TOOL_CALLS]pixel_spacing[ARGS]{}', [CROP, SPACING]),
    "Mistral, names": ('[TOOL_CALLS]crop{"view": "v0", "x0": 0.25}pixel_spacing{}', [CROP, SPACING]),
    # DeepSeek, Phi, GLM, Kimi, others
    "DeepSeek": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>crop\n```json\n"  # noqa: RUF001
        '{"view": "v0", "x0": 0.25}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',  # noqa: RUF001
        [CROP],
    ),
    "DeepSeek, later": ('<｜tool▁call▁begin｜>crop<｜tool▁sep｜>{"view":"v0","x0":0.25}<｜tool▁call▁end｜>', [CROP]),  # noqa: RUF001
    "thoughts begun by the template": (f"{C} is not yet needed.</think>\n{R}", [RULER]),
    "Phi": (f"<|tool_call|>[{R}]<|/tool_call|>", [RULER]),
    "GLM": (
        "<tool_call>crop\n<arg_key>view</arg_key>\n<arg_value>v0</arg_value>\n<arg_key>x0</arg_key>\n"
        "<arg_value>0.25</arg_value>\n</tool_call>",
        [CROP],
    ),
    "Kimi": (
        '<|tool_call_begin|>functions.crop:0<|tool_call_argument_begin|>{"view": "v0", "x0": 0.25}<|tool_call_end|>',
        [CROP],
    ),
    "invoke": ('<invoke name="crop"><parameter name="view">v0</parameter><parameter name="x0">0.25</parameter></invoke>', [CROP]),
    "ReAct": ('Thought: zoom.\nAction: crop\nAction Input: {"view": "v0", "x0": 0.25}\nObservation:', [CROP]),
    "LFM2": ("<|tool_call_start|>[ruler(view='v0', x0=0.15, y0=1)]<|tool_call_end|>", [RULER]),
    "LFM2, several": ("Look.<|tool_call_start|>[ruler(view='v0', x0=0.15, y0=1), pixel_spacing()]<|tool_call_end|>", [RULER, SPACING]),
    "LFM2, JSON": (f"<|tool_call_start|>[{R}]<|tool_call_end|>", [RULER]),
    "harmony": (
        '<|channel|>commentary to=functions.crop <|constrain|>json<|message|>{"view": "v0", "x0": 0.25}<|call|>',
        [CROP],
    ),
    "harmony, recipient first": (
        '<|start|>assistant to=functions.crop<|channel|>commentary json<|message|>{"view": "v0", "x0": 0.25}<|call|>',
        [CROP],
    ),
    "harmony, after an analysis": (
        "<|channel|>analysis<|message|>I zoom.<|end|><|start|>assistant<|channel|>commentary to=functions.crop "
        '<|constrain|>json<|message|>{"view": "v0", "x0": 0.25}',
        [CROP],
    ),
    "harmony, without its marks": ('commentary to=functions.crop json{"view": "v0", "x0": 0.25}', [CROP]),
    "harmony, two": (
        '<|channel|>commentary to=functions.crop<|message|>{"view": "v0", "x0": 0.25}<|call|>'
        "<|start|>assistant<|channel|>commentary to=functions.pixel_spacing<|message|>{}<|call|>",
        [CROP, SPACING],
    ),
    "DeepSeek, DSML": (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="crop">\n<｜DSML｜parameter name="view" string="true">v0'  # noqa: RUF001
        '</｜DSML｜parameter>\n<｜DSML｜parameter name="x0" string="false">0.25</｜DSML｜parameter>\n'  # noqa: RUF001
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>",  # noqa: RUF001
        [CROP],
    ),
    "MiniMax": (
        '<minimax:tool_call>\n<invoke name="crop">\n<parameter name="view">v0</parameter>\n'
        '<parameter name="x0">0.25</parameter>\n</invoke>\n</minimax:tool_call>',
        [CROP],
    ),
    "Nemotron": (f"<TOOLCALL>[{R}]</TOOLCALL>", [RULER]),
    "Cohere": (f"<|START_ACTION|>[{R.replace('name', 'tool_name', 1)}]<|END_ACTION|>", [RULER]),
    "Functionary": ('<|recipient|>crop\n<|content|>{"view": "v0", "x0": 0.25}', [CROP]),
    "Apertus": ('<|tools_prefix|>[{"crop": {"view": "v0", "x0": 0.25}}]<|tools_suffix|>', [CROP]),
    "LongCat": (f"<longcat_tool_call>{R}</longcat_tool_call>", [RULER]),
    # Objects: keys, wrappers, quotes
    "tool and parameters": ('{"tool": "crop", "parameters": {"view": "v0", "x0": 0.25}}', [CROP]),
    "tool_name and args": ('{"tool_name": "crop", "args": {"view": "v0", "x0": 0.25}}', [CROP]),
    "function and input": ('{"function": "crop", "input": {"view": "v0", "x0": 0.25}}', [CROP]),
    "action": ('{"action": "crop", "action_input": {"view": "v0", "x0": 0.25}}', [CROP]),
    "arguments as JSON in a string": ('{"name": "crop", "arguments": "{\\"view\\": \\"v0\\", \\"x0\\": 0.25}"}', [CROP]),
    "OpenAI's form": (f'{{"id": "c1", "type": "function", "function": {C}}}', [CROP]),
    "OpenAI's list": (f'{{"tool_calls": [{{"type": "function", "function": {C}}}, {R}]}}', [CROP, RULER]),
    "null arguments": ('{"name": "pixel_spacing", "arguments": null}', [SPACING]),
    "trailing commas": ('{"name": "crop", "arguments": {"view": "v0", "x0": 0.25,},}', [CROP]),
    "typographic quotes": ("{“name”: “crop”, “arguments”: {“view”: “v0”, “x0”: 0.25}}", [CROP]),
    "keys without quotes": ('{name: "crop", arguments: {view: "v0", x0: 0.25}}', [CROP]),
    "Python literals": (
        "{'name': 'ruler', 'arguments': {'a': True, 'b': None, 'c': -.5e1}}",
        [("ruler", {"a": True, "b": None, "c": -5.0})],
    ),
    "comments": ('{"name": "crop", // zoom\n "arguments": {"view": "v0", "x0": 0.25}}', [CROP]),
    "code over lines": ('```tool_call\n{"name": "ruler", "arguments": {"view": "a = 1\nb(\\"x\\")"}}\n```', [("ruler", {"view": 'a = 1\nb("x")'})]),
    "code in a long string": ('```tool_code\nruler(view="""a = "1"\nb""", x0=.5)\n```', [("ruler", {"view": 'a = "1"\nb', "x0": 0.5})]),
    "within a sentence": (f"I call {R} and then {C}.", [RULER, CROP]),
    "before an answer": (f"{R}\n<answer>12.0</answer>", [RULER]),
    "text with a brace before": (f"The set {{x | x > 0}} matters. {R}", [RULER]),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITTEN)
def test_how_models_write_calls(kind):
    text, wanted = WRITTEN[kind]
    parsed = parse_calls(text, NAMES)
    assert [(call["name"], call["args"]) for call in parsed.calls] == wanted
    assert parsed.invalid == ()
    assert [call["id"] for call in parsed.calls] == [f"call_{number + 1}" for number in range(len(wanted))]


@pytest.mark.parametrize(
    "text",
    [
        "<think>so</think><answer>12.0</answer>",
        '{"answer": 12.0}',
        '```json\n{"name": "liver", "major": 12.0}\n```',
        '{"name": "liver", "parameters": {"major": 12.0}}',
        '```json\n{"name": "liver", "parameters": {"major": 12.0}}\n```',
        '{"tool": "ruler", "distance_mm": 12.0}',
        '{"tool": "ruler", "input": {"x0": 0.1}, "output": 12.0}',
        '{"name": "ruler", "description": "measures", "parameters": {"type": "object", "properties": {"x0": {}}}}',
        '{"name": "ruler", "parameters": {"type": "object", "properties": {"x0": {}}}}',
        "I used ruler(view='v0', x0=0.1) twice. <answer>12.0</answer>",
        "ruler(view='v0', x0=0.1) gives 12.0.",
        "crop(ped) pictures",
        "[0.1, 0.2, 0.3, 0.4]",
        "The points [picture 2] and {x, y}.",
        f"<think>I could write\n```tool_call\n{R}\n```\nbut need not.</think><answer>1</answer>",
        f"<think>I could write {R}",
        f"<think>I could write <tool_call>{R}</tool_call> here, but",
        f"{R}\n</think><answer>1</answer>",
        "```python\nx = 3\nprint(x)\n```",
        "<answer>12.0</answer></tool_call>",
        "<answer>12.0</answer><|end|>",
        "I go from={a} to=end {x} and <use> the <tool> and the <action>.",
        "<tool_response>12.0</tool_response><tools>none</tools>",
        "",
    ],
)
def test_what_is_no_call_stays_as_it_is(text):
    parsed = parse_calls(text, NAMES)
    assert (parsed.calls, parsed.invalid, parsed.prose) == ((), (), text)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        (R[:-6], "ruler", "cut off"),
        (f"```tool_call\n{R[:-3]}", "ruler", "cut off"),
        (f"```tool_call\n{R[:30]}", "ruler", "cut off"),
        ("```tool_call\n{", "", "cut off"),
        (f"<tool_call>{R[:-4]}</tool_call>", "ruler", "cannot be read from '</tool_call>'"),
        ("```tool_call\n{arguments: {x0: 1}, name: rul", "", "names no tool"),
        ("<tool_call>I want the ruler</tool_call>", "", "no call can be read"),
        ("<function=ruler><parameter=x0>0.1</parameter>", "ruler", "cut off"),
        ("<function=ruler><parameter=x0>0.1", "ruler", "cannot be read"),
        ("```tool_code\nruler(view='v0', x0=0.1", "ruler", "cut off"),
        ("ruler(view='v0', x0=0.1", "ruler", "cut off"),
        ("```tool_code\nruler('v0', 0.1)\n```", "ruler", "cannot be read"),
        ("```tool_code\nruler(x0=1/3)\n```", "ruler", "cannot be read from '/3)"),
        ("```tool_code\nruler(x0=__import__('os').getpid())\n```", "ruler", "cannot be read"),
        ("```tool_code\nruler(x0=0.1, x0=0.2)\n```", "ruler", "cannot be read"),
        ('{"name": "ruler", "arguments": {"x0": 0.1.2}}', "ruler", "cannot be read"),
        ('{"name": "ruler", "arguments": {"x0": 0,15}}', "ruler", "cannot be read"),
        ('{"name": "ruler", "arguments": {"x0": 12mm}}', "ruler", "cannot be read"),
        ('{"name": "ruler", "arguments": [0.1, 0.2]}', "ruler", "arguments are no JSON object"),
        ('{"name": "ruler", "arguments": "{\\"x0\\": 0.1"}', "ruler", "arguments are no JSON object"),
        ('```tool_call\n{"x0": 0.1}\n```', "", "names no tool"),
        ("<|tool_call_start|>[ruler(view='v0', x0=0.1 y0=1)]<|tool_call_end|>", "ruler", "cannot be read"),
        ('<|channel|>commentary to=functions.ruler<|message|>{"x0": 0.1<|call|>', "ruler", "cannot be read"),
        ("So.<|zz_function_call_begin|>ruler %% x0 0.1", "", "form of this call is not known"),
        ("So.<future:tool-call>ruler 0.1</future:tool-call>", "", "form of this call is not known"),
        ("```tool_call\n3, 4\n```", "", "no call can be read"),
        ('```tool_call\n{"name": NAME, "arguments": {...}}\n```', "", "cannot be read from '...}"),
    ],
)
def test_what_cannot_be_read_is_an_invalid_call_with_a_reason(text, name, reason):
    parsed = parse_calls(text, NAMES)
    assert parsed.calls == ()
    (broken,) = parsed.invalid
    assert broken["name"] == name
    assert reason in broken["error"]


def test_one_unreadable_line_does_not_lose_the_others():
    for text in (
        f"```tool_call\n{R}\n{R[:-4]},\n{C}\n```",
        f"<tool_call>{R}</tool_call><tool_call>{{'x</tool_call>\n{C}",
    ):
        parsed = parse_calls(text, NAMES)
        assert [(call["id"], call["name"]) for call in parsed.calls] == [("call_1", "ruler"), ("call_3", "crop")]
        assert [call["id"] for call in parsed.invalid] == ["call_2"]


def test_of_a_list_that_is_cut_off_the_whole_calls_are_kept():
    parsed = parse_calls(f"[TOOL_CALLS] [{R}, {C[:-4]}", NAMES)
    assert [call["name"] for call in parsed.calls] == ["ruler"]
    assert [call["error"] for call in parsed.invalid] == ["it is cut off"]


def test_a_thought_without_end_that_ends_in_a_call_waits_for_it():
    for text in (f"<think>Let me measure.\n```tool_call\n{R}\n```", f"<think>Hm. <tool_call>\n{R}\n</tool_call>\n"):
        assert [call["name"] for call in parse_calls(text, NAMES).calls] == ["ruler"]


def test_prose_is_what_is_left():
    assert parse_calls(f"First.\n```tool_call\n{R}\n{C}\n```\nThen.", NAMES).prose == "First.\n\nThen."
    assert parse_calls(f"So <tool_call>{R}</tool_call> <answer>1</answer>", NAMES).prose == "So  <answer>1</answer>"


def test_half_a_surrogate_pair_in_an_escape_is_replaced():
    (call,) = parse_calls('{"name": "ruler", "arguments": {"view": "a\\ud800 \\ud83d\\ude00"}}', NAMES).calls
    assert call["args"]["view"] == "a\ufffd 😀"


MARKS = [
    "{", "}", "[", "]", "(", ")", '"', "'", "“", ",", ":", "=", "\\", "\n", " ", "#", "//", "0.1", "1", "-", "v0", "name",
    "arguments", "ruler", "crop(", "ruler(x0=", '{"name": "ruler", "arguments": {', "```", "```json\n", "```tool_call\n",
    "```tool_code\n", "<tool_call>", "</tool_call>", "<function=ruler>", "<parameter=x0>", "</parameter>", "</function>",
    "[TOOL_CALLS]", "<|python_tag|>", "<think>", "</think>", "<arg_key>", "</arg_key>", "Action: ruler\nAction Input: ",
    '<|"|>', "[ARGS]", R, C, "call:", "<answer>",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=3))).map("".join)))
def test_any_text_is_read_without_a_fault(text):
    parsed = parse_calls(text, NAMES)
    ids = [call["id"] for call in (*parsed.calls, *parsed.invalid)]
    assert sorted(ids, key=lambda key: int(str(key)[5:])) == [f"call_{number + 1}" for number in range(len(ids))]
    assert all(isinstance(call["args"], dict) and call["name"] for call in parsed.calls)
    assert all(call["error"] for call in parsed.invalid)
    if not ids:
        assert parsed.prose == text
    json.dumps(parsed.calls).encode()


@pytest.mark.parametrize(
    "piece", ["{", "[", "{'", '{"a":', "{#", "[1,", "[{},", "{a:'", "<tool_call>{", "ruler(x0=", "{{\n"]
)
def test_steps_grow_as_the_text_does(piece):
    def spent(size):
        scan = Scan((piece * size)[:size], frozenset(NAMES))
        scan.run()
        return scan.reader.spent / size

    assert spent(20_000) <= max(1.1 * spent(5_000), 1)
    assert spent(20_000) < 18


def test_calls_are_looked_for_at_the_end_of_a_text():
    call = '<tool_call>{"name": "ruler", "arguments": {"x0": 0.1}}</tool_call>'
    near, far = "x" * (READ - 2 * len(call)), "x" * READ
    assert [one["args"] for one in parse_calls(f"{far}{call}{near}", ["ruler"]).calls] == [{"x0": 0.1}]
    given = parse_calls(f"{call}{far}{call}", ["ruler"])
    assert (len(given.calls), given.prose) == (1, f"{call}{far}")
    assert parse_calls(f"<think>{far}{call}", ["ruler"]).calls, "the thought began before the part that is read"
    assert not parse_calls(f"<think>{call}{far}</think>{near}", ["ruler"]).calls


def test_a_long_nasty_text_ends():
    chance = random.Random(1)  # noqa: S311 - not a secret
    text = "".join(chance.choice(MARKS) for _ in range(40_000))
    assert len(text) > 200_000
    assert len(parse_calls(text, NAMES).prose) < len(text)
    for piece in ("<function=", "[", "Action: ruler\n", "a.", "<think>"):
        parse_calls((piece * 200_000)[:200_000], NAMES)


VALUES = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.booleans(),
    st.none(),
)
ARGUMENTS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), VALUES, max_size=5)
TOOL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda name: name == name.strip() != "")


def fenced(calls):
    return "```tool_call\n" + "".join(json.dumps(call) + "\n" for call in calls) + "```"


def tagged(calls):
    return "\n".join(f"<tool_call>{json.dumps(call, ensure_ascii=False, indent=1)}</tool_call>" for call in calls)


CALLS = st.lists(
    st.builds(lambda name, args: {"name": name, "arguments": args}, TOOL, ARGUMENTS), min_size=1, max_size=4
)


@settings(max_examples=200, deadline=None)
@given(CALLS, st.sampled_from([fenced, tagged, json.dumps, lambda calls: f"[TOOL_CALLS] {calls!r}"]))
def test_what_is_written_is_read(calls, write):
    names = {call["name"] for call in calls}
    parsed = parse_calls(write(calls), names)
    assert parsed.invalid == ()
    assert [{"name": call["name"], "arguments": call["args"]} for call in parsed.calls] == calls


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WRITTEN)), st.floats(0, 1))
def test_a_cut_never_changes_the_arguments_of_a_call(kind, part):
    text, wanted = WRITTEN[kind]
    left = list(wanted)
    for call in parse_calls(text[: int(part * len(text))], NAMES).calls:
        if (call["name"], call["args"]) not in left:
            # A thought that is cut off may hold what was not meant to be run, but never other numbers.
            assert (call["name"], call["args"]) in [RULER, CROP]
        else:
            left.remove((call["name"], call["args"]))


@settings(max_examples=200, deadline=None)
@given(CALLS, st.sampled_from([fenced, tagged, json.dumps]), st.floats(0, 1))
def test_a_cut_of_any_calls_yields_the_first_of_them(calls, write, part):
    text = write(calls)
    parsed = parse_calls(text[: int(part * len(text))], {call["name"] for call in calls})
    found = [{"name": call["name"], "arguments": call["args"]} for call in parsed.calls]
    assert found == calls[: len(found)]
