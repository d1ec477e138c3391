"""Immutable models of settings, their validation errors in words, and strict JSON (no NaN, no infinities)."""

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, ClassVar, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.fields import FieldInfo

from medvision_agent.errors import nearest
from medvision_agent.text import printable

__all__ = ["NAME", "ONE_LINE", "Frozen", "Lean", "complaint", "in_less_memory", "keys_at", "strict", "told"]

LeanModel = TypeVar("LeanModel", bound="Lean")
_MOST_SHARED = 29
"""The interpreter lets the objects of a class share the names of at most so many attributes."""
_MODELS_SHARE = sys.version_info < (3, 13)
"""Whether the interpreter shares names for every class; Python 3.13 does it in less memory for plain classes only."""

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""The pattern of a name that also names a file."""
ONE_LINE = r"^[^\x00-\x1f]+$"
"""The pattern of a text without control characters."""
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
"""The error of a key that a model, or a dataclass, does not have."""
_PATTERN = "string_pattern_mismatch"
_LONGEST = 80
"""Most characters shown of a text that does not have its form."""
_QUOTED = re.compile(r"'([^']*)'")


class Lean(BaseModel):
    """A memory-saving model: it does not store which fields were given; all fields count as given."""

    often_equal: ClassVar[bool] = False
    """Whether many objects of the class are equal and hashable, so that models in less memory share one of them."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Have all objects of the class share the names of its attributes (see ``in_less_memory``).

        The interpreter takes these names from the first objects only.
        """
        super().__pydantic_init_subclass__(**kwargs)
        if not _MODELS_SHARE:
            return
        first = object.__new__(cls)
        for name in cls.model_fields:
            object.__setattr__(first, name, None)

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002 - the signature of the hook
        """Share one set of fields among all objects of a class."""
        object.__setattr__(self, "__pydantic_fields_set__", _fields_of(type(self)))

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Return how pickle makes an equal model, in half the time that pydantic's own way takes."""
        if self.__pydantic_extra__ is not None or self.__pydantic_private__ is not None:
            return super().__reduce__()
        return _made_again, (type(self), self.__dict__)


def _made_again(kind: type[LeanModel], values: dict[str, Any]) -> LeanModel:
    one = object.__new__(kind)
    for name, value in (("__dict__", values), ("__pydantic_fields_set__", _fields_of(kind))):
        object.__setattr__(one, name, value)
    for name in ("__pydantic_extra__", "__pydantic_private__"):
        object.__setattr__(one, name, None)
    return one


def in_less_memory(model: LeanModel, *same: str) -> LeanModel:
    """Return an equal model that takes about half the memory, for models that are kept in large numbers.

    The fields named *same* keep their objects. Its other fields, and those of models within it, are attributes in the
    object: objects of a class share their names, while the dictionary that a validator makes has its own. From Python
    3.13 on a model keeps a dictionary, which shares its names with those of others; this saves about half as much.
    """
    new = object.__new__(type(model))
    for slot in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
        object.__setattr__(new, slot, getattr(model, slot))
    values = {name: value if name in same else _smaller(value) for name, value in model.__dict__.items()}
    if len(values) > _MOST_SHARED:
        object.__setattr__(new, "__dict__", values)
    else:
        holder = new if _MODELS_SHARE else _plain_class(type(model))()
        for name, value in values.items():
            object.__setattr__(holder, name, value)
        if holder is not new:
            object.__setattr__(new, "__dict__", holder.__dict__)
    return new


@cache
def _plain_class(model: type[BaseModel]) -> type[Any]:
    """Return a plain class whose objects share the names of a model's fields.

    The first object has room for many attributes, and each later one for one less, down to about those in use.
    Therefore many are made here.
    """
    plain = type(model.__name__, (), {})
    for _ in range(_MOST_SHARED):
        one = plain()
        for name in model.model_fields:
            setattr(one, name, None)
    return plain


def _smaller(value: Any) -> Any:
    """Return a value with the models in it in less memory: a model, or a tuple of models; other values unchanged."""
    if isinstance(value, Lean):
        return _shared(value) if value.often_equal else in_less_memory(value)
    if isinstance(value, tuple) and value and isinstance(value[0], Lean):
        return tuple(map(in_less_memory, value))
    return value


@lru_cache(maxsize=1 << 12)
def _shared(model: Lean) -> Lean:
    """Return one and the same object for all equal models."""
    return in_less_memory(model)


@cache
def _fields_of(model: type[BaseModel]) -> set[str]:
    """Return the names of a model's fields, as one set that all its objects share."""
    return set(model.model_fields)


class Frozen(Lean):
    """An immutable model with typed fields; NaN and infinities are always refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def but(self, **changes: object) -> Self:
        """Return a copy with *changes*, validated; raises ValidationError for an invalid value."""
        return type(self).model_validate(dict(self) | changes)


def complaint(error: ValidationError, whole: str = "", most: int = 1, *, of: type[BaseModel] | None = None) -> str:
    """Return the first *most* errors in one line, each with its field; *whole* stands for a missing field.

    Unknown keys come first, because they explain missing ones. With *of*, the model that was validated, the nearest
    known key is suggested for each.
    """
    items = sorted(error.errors(include_url=False), key=lambda item: item["type"] not in _UNKNOWN)[:most]
    fields = [".".join(map(str, item["loc"])) or whole for item in items]
    words = [told(item, keys_at(of, item["loc"][:-1]) if of is not None else ()) for item in items]
    return "; ".join(f"{field}: {said}" if field else said for field, said in zip(fields, words, strict=True))


def told(item: Mapping[str, Any], known: Iterable[str] = ()) -> str:
    """Return one of pydantic's errors in words, with a hint at the nearest allowed value if there is one.

    For an unknown key the hint is the nearest of the *known* keys.
    """
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] in _UNKNOWN:
        hint = nearest(str(item["loc"][-1]), known)
        return f"unknown key.{hint}" if hint else "unknown key; leave it out, or correct its name"
    context = item.get("ctx", {})
    if item["type"] == _PATTERN:
        given = printable(repr(item["input"]))[:_LONGEST]
        return f"{given} does not have the expected form: {_in_words(context['pattern'])}"
    allowed = _QUOTED.findall(str(context.get("expected_tags", context.get("expected", ""))))
    hint = nearest(str(context.get("tag", item.get("input"))), allowed)
    return f"{message}.{hint}" if hint else message


def _in_words(pattern: str) -> str:
    """Return what a regular expression asks for, in words where it is one of this module's."""
    words = {
        NAME: "letters, digits, '-', '_' and dots, the first one a letter or digit",
        ONE_LINE: "a text of one line, without tabs and other control characters",
    }
    return words.get(pattern, f"the regular expression {pattern}")


def keys_at(model: type[Any], place: Sequence[str | int]) -> list[str]:
    """Return the keys allowed at *place* (a path of keys) in a model; for a union, those of all its members."""
    models = [model]
    for part in place:
        fields = [found.annotation for one in models if (found := _fields(one).get(str(part))) is not None]
        models = [inner for field in fields for inner in _models_in(field)] if fields else models
    return list(dict.fromkeys(key for one in models for key in _fields(one)))


def _fields(model: type[Any]) -> Mapping[str, FieldInfo]:
    """Return the fields of a model, or of a dataclass that pydantic validates, by name."""
    found: Mapping[str, FieldInfo] = model.__pydantic_fields__
    return found


def _models_in(annotation: Any) -> list[type[Any]]:
    """Return the models that a type annotation names, in unions and containers too."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_pydantic_dataclass(annotation)):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def strict(value: Any) -> Any:
    """Return *value* (numbers, texts, and mappings and sequences of them) as strict JSON data.

    NaN becomes null, and infinities the strings ``Infinity`` and ``-Infinity``.
    """
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [strict(one) for one in value]
    return value
