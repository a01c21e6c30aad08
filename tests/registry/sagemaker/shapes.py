"""What is wrong with a request, by botocore's service model: types by botocore, the rest by a walk.

botocore leaves patterns, choices and upper limits to the service.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator


def faults(operation: str, arguments: Mapping[str, Any]) -> list[str]:
    """Sentences; none where the service would take the request."""
    shape = service().operation_model(operation).input_shape
    report = ParamValidator().validate(arguments, shape)
    # A walk over wrong types would stumble.
    said = [report.generate_report()] if report.has_errors() else walked(shape, arguments, "")
    return [f"{operation}: {one}" for one in said]


@cache
def service() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def walked(shape: Any, value: Any, place: str) -> Iterator[str]:
    """What botocore does not look at."""
    if shape.type_name == "structure":
        for key, one in value.items():
            yield from walked(shape.members[key], one, f"{place}.{key}")
    elif shape.type_name == "list":
        yield from limited(shape, len(value), place)
        for number, one in enumerate(value):
            yield from walked(shape.member, one, f"{place}[{number}]")
    elif shape.type_name == "map":
        yield from limited(shape, len(value), place)
        for key, one in value.items():
            yield from walked(shape.key, key, f"{place} key {key!r}")
            yield from walked(shape.value, one, f"{place}.{key}")
    elif shape.type_name == "string":
        yield from limited(shape, len(value), place)
        if shape.enum and value not in shape.enum:
            yield f"{place} is {value!r}, none of {shape.enum}"
        pattern = shape.metadata.get("pattern")
        if pattern is not None and not translated(pattern).fullmatch(value):
            yield f"{place} is {value!r}, which is not {pattern}"


def limited(shape: Any, size: int, place: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        yield f"{place} has {size}, not {low} to {high}"


@cache
def translated(pattern: str) -> re.Pattern[str]:
    """A pattern of the service in Python's words: it writes \\p{L} for letters, and once a count behind the end."""
    pattern = re.sub(r"\$\{\d+,\d+\}$", "", pattern)
    return re.compile(re.sub(r"\\p\{([A-Z])\}", lambda found: signs(found[1]), pattern))


@cache
def signs(category: str) -> str:
    """The signs of a category of Unicode's, as a character class has them."""
    ranges: list[list[int]] = []
    for number in range(sys.maxunicode + 1):
        if unicodedata.category(chr(number))[0] == category:
            if ranges and ranges[-1][1] == number - 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)
