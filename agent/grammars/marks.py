# ruff: noqa: RUF001 - one family of models writes its tags with characters that look like others
"""Patterns of the tags, fences and labels with which models mark a call in text. Data only.

Every pattern is a choice of literals or has bounded repetitions, so one search takes time linear in the text.
"""

import re
from functools import lru_cache

__all__ = [
    "AFTER_CALL",
    "ENVELOPE_LABELS",
    "FOREIGN",
    "LINE_START",
    "MARK",
    "NAMED",
    "OBJECT_NEXT",
    "PAIR",
    "PROGRAM_LABELS",
    "THOUGHT",
    "unread_form",
]

ENVELOPE_LABELS = frozenset(
    {"tool_call", "tool_calls", "tool-call", "toolcall", "tool", "tool_code", "tool_use", "function_call"}
)
"""Labels of fenced blocks that hold calls and nothing else."""
PROGRAM_LABELS = frozenset({"python", "py", "tool_code"})
"""Labels of fenced blocks in which a call may be part of a statement, as in ``d = ruler(...)``."""

_NAME = r"[A-Za-z_][\w.-]{0,80}+"
_SPACE = r"(?:[A-Za-z][\w-]{0,20}[:_]|｜DSML｜)?"
"""A maker's name within a tag: ``<minimax:tool_call>``, ``<longcat_tool_call>``, ``<｜DSML｜invoke name="x">``."""
_CALLS = r"(?:tool_?calls?|TOOL_?CALLS?|function_?calls?|tool_use|start_function_call)"
_OPEN = (
    rf"<\|?{_SPACE}{_CALLS}\|?>"
    r"|\[TOOL_CALLS?\]|<\|python_(?:tag|start)\|>|<\|action_start\|>\s{0,9}(?:<\|plugin\|>)?|<\|START_ACTION\|>"
    r"|<｜tool[▁_]calls?[▁_]begin｜>|<\|tool_calls?(?:_section)?_(?:begin|start)\|>|<\|tools_prefix\|>"
)
_CLOSE = (
    rf"</{_SPACE}(?:{_CALLS}|function|invoke)>|<\|?/tool_calls?\|?>"
    r"|<tool_call\|>|<end_function_call>|\[/TOOL_CALLS?\]|<\|action_end\|>|<\|python_end\|>|<\|eom_id\|>|<\|eot_id\|>|<\|im_end\|>"
    r"|<｜tool[▁_]calls?[▁_]end｜>|<\|tool_calls?(?:_section)?_end\|>|<\|tools_suffix\|>|<\|END_ACTION\|>"
    r"|<\|call\|>|<\|end\|>"
)
MARK = re.compile(
    r"(?P<fence>`{3,9}+[ \t]{0,4}+(?P<label>[\w-]{0,20}+(?=[\s{\[]|\Z))?)"
    rf"|(?P<open>{_OPEN})"
    rf"|(?P<close>{_CLOSE})"
    rf"|(?P<tag><{_SPACE}(?:function=|function name=|invoke name=)[\"']?(?P<function>{_NAME})[\"']?>)"
    rf"|(?P<message>(?:<\|start\|>assistant\s?)?(?:<\|channel\|>\w{{0,20}}\s{{0,9}})?\bto=(?P<recipient>functions\.{_NAME}"
    rf"|{_NAME}(?=[^{{}}\n]{{0,80}}<\|message\|>))[^{{}}\n]{{0,80}}+(?=\{{))"
    rf"|(?P<content><\|recipient\|>\s{{0,9}}(?P<addressee>{_NAME})\s{{0,9}}<\|content\|>\s{{0,9}}(?=\{{))"
    rf"|(?P<react>(?m:^)[ \t*]{{0,8}}Action[ \t*]{{0,4}}:[ \t*`]{{0,6}}(?P<action>{_NAME})[ \t*`]{{0,6}}\n"
    r"[ \t*]{0,8}Action[ _]Input[ \t*]{0,4}:[ \t*`]{0,6}(?:json\s)?(?=\{))"
    rf"|(?P<bare>(?m:^)(?:<\|assistant\|>|>>>|✿FUNCTION✿:\s?)?(?:call:)?(?P<alone>{_NAME}(?::[0-9]{{1,6}})?)"
    r"(?:\[ARGS\]|\s?✿ARGS✿:)?\s{0,3}(?=\{))"
    r"|(?P<value>[\[{])"
    rf"|(?P<python>\b(?P<callee>{_NAME})\()"
)
"""Anything that may begin or end a call."""
NAMED = re.compile(
    r"\s{0,9}+(?:function(?:<｜tool▁sep｜>|<\|tool_sep\|>))?(?:call:)?"
    rf"(?P<name>{_NAME})(?::[0-9]{{1,6}})?[ \t]{{0,4}}(?:\[CALL_ID\]\w{{1,40}}+)?"
    r"(?:<｜tool▁sep｜>|<\|tool_sep\|>|<\|tool_call_argument_begin\|>|\[ARGS\]|:|=)?\s{0,9}+"
    r"(?:```(?:json)?\s{0,9}+)?(?=(?P<object>\{)|<arg_key>)"
)
"""A name before its arguments, within an envelope."""
PAIR = re.compile(
    r"\s{0,99}+(?:"
    rf"<{_SPACE}parameter(?:=| name=)[\"']?(?P<key>[\w.-]{{1,80}}+)[\"']?[^<>\n]{{0,80}}+>"
    rf"(?P<value>[^<]{{0,9999}}+)</{_SPACE}parameter>"
    r"|<arg_key>(?P<key2>[^<]{1,80}+)</arg_key>\s{0,9}+<arg_value>(?P<value2>[^<]{0,9999}+)</arg_value>)"
)
"""One argument between tags."""
FOREIGN = re.compile(
    r"<[|｜]?[^<>\s/|]{0,30}(?:tool|function|action)[_▁:-]?(?:calls?|use|invoke|start|begin|prefix)[^<>\s]{0,20}>",
    re.IGNORECASE,
)
"""Tags that look like the start of a call but belong to no supported form."""
LINE_START = re.compile(r"(?:^|\n)[ \t]*\[?[ \t]*\Z")
AFTER_CALL = re.compile(
    r"[ \t]{0,99}[\]);]{0,3}[ \t]{0,99}(?:\n|\r|\Z|`{3})"
    r"|\s{0,99},\s{0,99}[A-Za-z_]\w{0,80}\("
    r"|\s{0,99}</?[a-z|]"
)
"""What may follow a call on its own line."""
OBJECT_NEXT = re.compile(r"\s*+(?=\{)")
THOUGHT = re.compile(
    r"(?P<begin><think>|<thinking>|\[THINK\]|◁think▷|<unused94>|<\|channel>thought)"
    r"|(?P<end></think>|</thinking>|\[/THINK\]|◁/think▷|<unused95>|<channel\|>)"
)
"""Where a model's thoughts begin and end."""


@lru_cache(maxsize=64)
def unread_form(names: frozenset[str]) -> re.Pattern[str]:
    """Return a pattern of calls of the tools *names* in unsupported forms; its group that matched is the tool's name.

    The forms are those of coding assistants and older frameworks; only the name and what follows tell them from prose:
    ``<ruler><x0>0.1</x0></ruler>`` (Cline, Roo), ``<tool_name>ruler</tool_name>`` (their ``use_mcp_tool``),
    ``Action: ruler`` before an ``Action Input:`` that is not a plain object or with arguments in brackets (ReAct), and
    ``ruler``, then ``tool_call(...)`` (ChatGLM3).
    """
    one = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"
    space, bold = r"\s{0,99}", r"[ \t*`]{0,8}"
    forms = (
        rf"<(?P<name>{one})>{space}(?:<[A-Za-z_][\w-]{{0,80}}>|</(?P=name)>)",
        rf"<tool_name>{space}(?P<mcp>{one}){space}</tool_name>",
        rf"(?m:^){bold}Action{bold}:{bold}(?P<react>{one})(?:`?\(|{bold}\n{space}{bold}Action[ _]Input{bold}:)",
        rf"(?m:^)(?:<\|assistant\|>)?[ \t]{{0,8}}(?P<glm>{one})[ \t]{{0,8}}\n{space}(?:```python{space})?tool_call\(",
    )
    return re.compile("|".join(forms))
