"""Read settings that a person wrote as YAML or JSON, and refuse ambiguous or abnormal content.

Contract: a ValueError says what is wrong and where: the line, or the key. Refused are keys given twice (a parser
silently keeps the last), numbers that no setting has (infinite, not a number, beyond 64 bits), and texts that
expand without limit by references to their own parts. A date stays a text.
"""

import json
import math
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

__all__ = ["read_json", "read_yaml"]

_LARGEST = 2**63
_MOST_VALUES = 200_000
"""Maximum number of values in one file, including referenced ones."""
_DEEPEST = 1000
"""Maximum number of levels of nested mappings and lists, as in libyaml."""
_LONGEST = 40
"""Maximum number of digits of a number that is converted."""
_TAG = "tag:yaml.org,2002:"
_NOT_OF_ITS_TAG = (ValueError, LookupError, AttributeError)
"""What PyYAML raises for a value such as ``!!bool 5``."""


def read_yaml(text: str, *, switches: bool = True) -> Any:
    """Return the content of a YAML text; raises ValueError that says what is wrong and where.

    With *switches*, the words ``on``, ``off``, ``yes`` and ``no`` are read as true and false, else as texts.
    """
    try:
        content = yaml.load(text, _Loader if switches else _WordLoader)  # noqa: S506 - safe loaders
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, *_NOT_OF_ITS_TAG) as error:
        raise ValueError(f"not valid YAML ({type(error).__name__})") from None
    _check(content)
    return content


def read_json(text: str | bytes) -> Any:
    """Return the content of a JSON text; raises ValueError that says what is wrong and where."""
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not valid JSON: {error}") from None
    _check(content)
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs of a JSON object as a dict; raises ValueError for a key given twice."""
    keys = Counter(key for key, _ in pairs)
    if twice := [key for key, count in keys.items() if count > 1]:
        raise ValueError(f"the key {twice[0]!r} is given twice; leave one of them out")
    return dict(pairs)


def _integer(digits: str) -> int | float:
    """Return a JSON integer; infinity, which is refused later, for one with too many digits."""
    return int(digits) if len(digits) <= _LONGEST else math.inf


def _check(content: Any) -> None:
    """Raise ValueError that names the key of the first unusable number, or for too many values or levels."""
    for number, (place, value) in enumerate(_values(content)):
        if number == _MOST_VALUES or len(place) > _DEEPEST:
            raise ValueError(
                f"the text has more than {_MOST_VALUES:,} values or {_DEEPEST:,} levels of nesting (a part that is "
                "referenced several times counts each time)"
            )
        if not _usable(value):
            raise ValueError(f"{'.'.join(map(str, place))}: expected a finite number of at most 64 bits")


def _usable(value: Any) -> bool:
    """Return whether a value is no number, or a finite number within 64 bits."""
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or -_LARGEST <= value < _LARGEST


def _values(content: Any) -> Iterator[tuple[tuple[Hashable, ...], Any]]:
    """Yield every value, also mappings and lists, with its path of keys; never ends if references form a circle."""
    waiting: list[tuple[tuple[Hashable, ...], Any]] = [((), content)]
    while waiting:
        place, value = waiting.pop()
        yield place, value
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        waiting += [((*place, key), item) for key, item in items]


class _Loader(_Base):
    """PyYAML's safe loader, with the numbers and keys that settings may have."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping; raises ConstructorError, with the line, for a key given twice."""
        keys = Counter(str(key.value) for key, _ in node.value if key.tag != f"{_TAG}merge")
        if twice := [key for key, count in keys.items() if count > 1]:
            problem = f"the key {twice[0]!r} is given twice; leave one of them out"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


class _WordLoader(_Loader):
    """A loader whose only truth values are ``true`` and ``false``."""


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    """Return the number; infinity, which is refused later, for one with too many digits."""
    return loader.construct_yaml_int(node) if len(node.value) <= _LONGEST else math.inf


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:  # noqa: ARG001 - PyYAML's signature
    """Return the characters of a value, such as a date, as written."""
    return str(node.value)


def _truth(loader: _Loader, node: yaml.ScalarNode) -> bool | str:  # noqa: ARG001 - PyYAML's signature
    """Return True or False for the words ``true`` and ``false``, and any other word as written."""
    return {"true": True, "false": False}.get(node.value, str(node.value))


_Loader.add_constructor(f"{_TAG}int", _number)
_Loader.add_constructor(f"{_TAG}timestamp", _text)
_WordLoader.add_constructor(f"{_TAG}bool", _truth)
