"""Do our rules decide a file of cases as the file expects?

A case is `{id, kind, input, expect, …}`. A capability offers its kinds as a mapping from name to a function
that takes `input` and returns the fields it decides; only the fields `expect` names are judged. A refusal is
returned (`refusal`), never raised; `Malformed` says that the input has the wrong shape. Nothing in a file can
raise here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

Fields = Mapping[str, object]
Kind = Callable[[Fields], Fields]

NOTHING: Final = "(nothing)"
"""What is shown where a rule decides a field not at all."""

_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class CaseFileError(ValueError):
    """A file that is no list of cases: one line naming file and remedy."""


class Malformed(ValueError):
    """The input of a case has the wrong shape; `field` says where, the message what was wanted."""

    def __init__(self, field: str, wanted: str) -> None:
        super().__init__(f"{field}: {wanted}")
        self.field: Final = field
        self.wanted: Final = wanted


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One field of one case that came out otherwise; a case without an id goes by its place, from #1."""

    id: str
    kind: str
    field: str
    expected: object
    got: object


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a file of cases. One case may disagree in several fields."""

    agreeing: int
    disagreeing: tuple[Disagreement, ...]
    not_judged: Counter[str]


def read_cases(file: Path) -> list[object]:
    """Read a JSON list of cases. Raises CaseFileError."""
    try:
        cases: object = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CaseFileError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CaseFileError(f"{file}: is not UTF-8; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise CaseFileError(f"{file}: is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        raise CaseFileError(f"{file}: holds a number or a nesting beyond reason; correct it") from None
    if not isinstance(cases, list):
        raise CaseFileError(f"{file}: must be a list of cases, [{{…}}, {{…}}]")
    return cases


def judge(cases: Sequence[object], kinds: Mapping[str, Kind]) -> Verdict:
    """Decide every case of a known kind and compare; kinds not in `kinds` are counted, by name."""
    agreeing = 0
    disagreeing: list[Disagreement] = []
    not_judged: Counter[str] = Counter()
    for place, case in enumerate(cases, 1):
        kind = case.get("kind") if isinstance(case, Mapping) else None
        if isinstance(kind, str) and kind not in kinds:
            not_judged[kind] += 1
            continue
        found = _disagreements(case, f"#{place}", kinds)
        disagreeing.extend(found)
        agreeing += not found
    return Verdict(agreeing, tuple(disagreeing), not_judged)


def refusal(reason: str) -> dict[str, object]:
    """The fields of a no, in both ways a case may ask for it."""
    return {"accepted": False, "reason": reason, "refused": reason}


def agrees(expected: object, got: object) -> bool:
    """Whether two values are the same to a case file.

    Decimal strings compare as numbers where one has a point ("81.0" is "81.00", but "01" is not "1").
    Lists are sets, except that nothing may stand in one of them more often than in the other. True is not 1.
    """
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, str) and isinstance(got, str):
        if expected == got:
            return True
        numbers = _DECIMAL.fullmatch(expected) and _DECIMAL.fullmatch(got)
        return bool(numbers) and "." in expected + got and Fraction(expected) == Fraction(got)
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return expected.keys() == got.keys() and all(agrees(expected[key], got[key]) for key in expected)
    if isinstance(expected, (list, tuple)) and isinstance(got, (list, tuple, set, frozenset)):
        rest = list(got)
        for each in expected:
            at = next((place for place, other in enumerate(rest) if agrees(each, other)), None)
            if at is None:
                return False
            del rest[at]
        return not rest
    return expected == got


def text(fields: Fields, name: str, default: str | None = None) -> str:
    """A string of the input. Raises Malformed."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise Malformed(name, "a string")
    return value


def text_or_null(fields: Fields, name: str) -> str | None:
    """A string of the input, or None where it is null. Raises Malformed; the name itself must be there."""
    value = fields.get(name)
    if name not in fields or (value is not None and not isinstance(value, str)):
        raise Malformed(name, "a string or null")
    return value


def flag(fields: Fields, name: str, default: bool | None = None) -> bool:
    """True or false. Raises Malformed."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise Malformed(name, "true or false")
    return value


def whole(fields: Fields, name: str, default: int | None = None) -> int:
    """A whole number. Raises Malformed."""
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(name, "a whole number")
    return value


def texts(fields: Fields, name: str) -> list[str]:
    """A list of strings. Raises Malformed."""
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Malformed(name, "a list of strings")
    return value


def records(fields: Fields, name: str) -> list[Fields]:
    """A list of objects. Raises Malformed."""
    value = fields.get(name)
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise Malformed(name, "a list of objects")
    return value


def _disagreements(case: object, place: str, kinds: Mapping[str, Kind]) -> list[Disagreement]:
    if not isinstance(case, Mapping):
        return [Disagreement(place, "?", "case", "an object", type(case).__name__)]
    name, kind = case.get("id"), case.get("kind")
    name = name if isinstance(name, str) and name else place
    if not isinstance(kind, str):
        return [Disagreement(name, "?", "kind", "a string", NOTHING if kind is None else kind)]
    given, expect = case.get("input"), case.get("expect")
    if not isinstance(given, Mapping):
        return [Disagreement(name, kind, "input", "an object", NOTHING if given is None else given)]
    if not isinstance(expect, Mapping) or not expect:
        return [Disagreement(name, kind, "expect", "an object with a field", NOTHING if expect is None else expect)]
    try:
        got = kinds[kind](given)
    except Malformed as malformed:
        return [Disagreement(name, kind, f"input.{malformed.field}", malformed.wanted, "something else")]
    return [
        Disagreement(name, kind, field, expected, got.get(field, NOTHING))
        for field, expected in expect.items()
        if field not in got or not agrees(expected, got[field])
    ]
