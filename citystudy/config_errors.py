"""What is wrong with a study file, in the words of the file: key, what was found, what is expected.

pydantic tells where each problem is as a location in the models; it is followed through the models' types here, so
that a key of any depth is named as the file writes it and an unknown one is answered with those known at that place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

MOST_LISTED = 20
LONGEST_SHOWN = 60
_NUMBER = re.compile(r"\[\d+\]")

# The words for pydantic's rules; names in braces are the rule's own numbers.
_RULES = {
    "string_type": "text in quotes",
    "string_too_short": "text that is not empty",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "too_short": "at least {min_length}",
    "list_type": "a list in [ ]",
    "dict_type": "a table of keys",
    "model_type": "a table of keys",
    "model_attributes_type": "a table of keys",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the study file: its key as written there, the type expected, what the field says of itself."""

    key: str
    type: Any
    description: str | None = None

    @property
    def model(self) -> type[BaseModel] | None:
        """The model of a single table, where one is expected here."""
        return self.type if isinstance(self.type, type) and issubclass(self.type, BaseModel) else None

    @property
    def tables(self) -> str | None:
        """The words for a list of tables, where one is expected here."""
        if get_origin(self.type) is not list:
            return None
        inner, _ = _bare(get_args(self.type)[0])
        of_models = _tags(inner) or _Place(self.key, inner).model
        return f"at least one [[{_NUMBER.sub('', self.key)}]] table" if of_models else None


def explain(error: ValidationError, root: type[BaseModel]) -> Iterator[str]:
    """Yield a line a problem: key, found, expected, and the nearest known word where one is near."""
    for problem in error.errors():
        if problem["type"] == "value_error" and not problem["loc"]:
            yield from str(problem["ctx"]["error"]).splitlines()
        else:
            yield _line(problem, root)


def did_you_mean(word: object, known: Sequence[str]) -> str:
    """Return the nearest of `known` as a question, or all of them where none is near and they are few."""
    listed = f" ({', '.join(known)})" if 0 < len(known) <= MOST_LISTED else ""
    return _nearest(word, known) or listed


def _nearest(word: object, known: Sequence[str]) -> str:
    low = str(word).lower()
    close = difflib.get_close_matches(low, known, n=1, cutoff=0.6) or [name for name in known if low in name.split("_")]
    return f"; did you mean '{close[0]}'?" if close else ""


def _line(problem: ErrorDetails, root: type[BaseModel]) -> str:
    place = _place(problem["loc"], root)
    found, rule, context = problem["input"], problem["type"], problem.get("ctx", {})
    if rule == "extra_forbidden":
        parent = _place(problem["loc"][:-1], root).model
        return (
            f"{place.key}: unknown key{did_you_mean(problem['loc'][-1], list(parent.model_fields) if parent else [])}"
        )
    if rule == "missing":
        return f"{place.key}: missing, expected {_wanted(place)}"
    if rule in {"union_tag_invalid", "union_tag_not_found"}:
        tag, tags = found.get("source"), list(_tags(place.type))
        shown = "missing" if tag is None else f"found {_shown(tag)}"
        hint = "" if tag is None else _nearest(tag, tags)
        return f"{place.key}.source: {shown}, expected one of {', '.join(tags)}{hint}"
    if rule == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"{place.key}: found {_shown(found)}, expected one of {', '.join(choices)}{_nearest(found, choices)}"
    return f"{place.key}: found {_shown(found)}, expected {_expected(rule, context, place, problem['msg'])}"


def _expected(rule: str, context: Mapping[str, Any], place: _Place, message: str) -> str:
    if rule == "value_error":
        return str(context["error"])
    if rule == "string_pattern_mismatch" and place.description:
        return place.description
    if rule in {"list_type", "too_short"} and place.tables:
        return place.tables
    words = _RULES[rule].format(**context) if rule in _RULES else message[:1].lower() + message[1:]
    return f"{words} ({place.description})" if place.description else words


def _wanted(place: _Place) -> str:
    """Return what is expected where a key is missing altogether."""
    if place.model:
        return f"a [{place.key}] table"
    if place.type is float:
        return "a number"
    if get_origin(place.type) is Literal:
        return f"one of {', '.join(get_args(place.type))}"
    plain = {list: "a list in [ ]", dict: "a table of keys"}.get(get_origin(place.type) or place.type, "text in quotes")
    return place.tables or place.description or plain


def _place(location: tuple[int | str, ...], root: type[BaseModel]) -> _Place:
    """Return the place a location leads to; the tags of union members in it are no part of the file's key."""
    if location and location[-1] == "[key]":
        table = _place(location[:-2], root)
        return _Place(f"{table.key}.{location[-2]}", *_bare(get_args(table.type)[0]))
    place = _Place("", root)
    for part in location:
        if part in _tags(place.type):
            place = _Place(place.key, _tags(place.type)[str(part)])
        else:
            key = f"{place.key}[{part}]" if isinstance(part, int) else f"{place.key}.{part}".lstrip(".")
            place = _Place(key, *_inside(place, part))
    return place if place.key else _Place("study file", root)


def _inside(place: _Place, part: int | str) -> tuple[Any, str | None]:
    """Return the type and description of what stands at a key or number inside a place."""
    if place.model:
        field = place.model.model_fields.get(str(part))
        if field is None:
            return object, None
        bare, description = _bare(field.annotation)
        return bare, field.description or description
    arguments = get_args(place.type)
    return _bare(arguments[-1]) if arguments else (object, None)


def _bare(annotation: Any) -> tuple[Any, str | None]:
    """Return a type without `Annotated` and `| None`, and the description that stood in the annotation."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        fields = [entry for entry in metadata if isinstance(entry, FieldInfo)]
        return _bare(inner)[0], next((field.description for field in fields if field.description), None)
    if get_origin(annotation) in {Union, UnionType}:
        members = [member for member in get_args(annotation) if member is not NoneType]
        if len(members) == 1:
            return _bare(members[0])
    return annotation, None


def _tags(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the members of a union of targets by the `source` that tells them apart; empty for any other type."""
    if get_origin(annotation) not in {Union, UnionType}:
        return {}
    models = [member for member in get_args(annotation) if isinstance(member, type) and issubclass(member, BaseModel)]
    return {get_args(model.model_fields["source"].annotation)[0]: model for model in models}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
