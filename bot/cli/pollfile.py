"""What does a poll's TOML file say?"""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from bot.core.reply import Refused
from handlers.voting.desk import Plan


class Unreadable(Exception):
    """The file, the key, what is wrong with it; never a value."""


def _moment(value: object) -> object:
    """TOML's own date-time, or a text like "2026-11-30 18:00"."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("write it as 2026-11-30T18:00:00") from None
    return value


def _range(value: object) -> object:
    """1, or [least, most]."""
    if value == 1 and not isinstance(value, bool):
        return (1, 1)
    if isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value):
        return tuple(value)
    raise ValueError("write 1, or [least, most]")


Moment = Annotated[datetime, BeforeValidator(_moment)]

NOT_BY_NAME = ("seats", "allow_write_in", "cast_mode", "approval", "release", "audience", "scrutineers", "threshold")
"""Keys that say nothing about a named poll: its result is figures, told to its roll at the close."""


class PollFile(BaseModel):
    """The keys of the file. A time without a zone is the organisation's."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    title: str
    electorate: str
    closes: Moment
    opens: Moment | None = None
    rule: str = "plain"
    secret: bool = True
    choose: Annotated[tuple[int, int], BeforeValidator(_range)] = (1, 1)
    options: list[str] | None = None
    candidates: list[str] | None = None
    seats: int | None = None
    allow_write_in: bool = False
    cast_mode: Literal["room", "remote"] = "remote"
    approval: str | None = None
    release: Literal["at_once", "announced"] = "at_once"
    audience: str | None = None
    scrutineers: list[str] | None = None
    threshold: str | int | float | None = None
    show_turnout: bool = True

    @model_validator(mode="after")
    def _one_list(self) -> PollFile:
        if (self.options is None) == (self.candidates is None):
            raise ValueError("give options or candidates, one of the two")
        return self


def read(file: Path, zone: ZoneInfo) -> Plan:
    """The poll that a file describes. Raises Unreadable; Refused for keys that do not fit a named poll."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{file}: is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(f"{file}: is not TOML ({error})") from None
    try:
        poll = PollFile(**raw)
    except ValidationError as error:
        problems = [_problem(dict(one)) for one in error.errors(include_input=False, include_url=False)]
    else:
        return _plan(poll, zone)
    raise Unreadable(f"{file}: {'; '.join(problems)}")  # outside the except: the error holds what was written


def _plan(poll: PollFile, zone: ZoneInfo) -> Plan:
    strange = [name for name in NOT_BY_NAME if getattr(poll, name) != PollFile.model_fields[name].default]
    if strange and not poll.secret:
        raise Refused("voting.not_by_name", keys=strange)

    def instant(moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    return Plan(
        title=poll.title, options=poll.options or poll.candidates or [], electorate=poll.electorate,
        closes=instant(poll.closes), opens=instant(poll.opens) if poll.opens else None, choose=poll.choose,
        rule=poll.rule, secret=poll.secret, show_turnout=poll.show_turnout,
    )  # fmt: skip


def _problem(error: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key; there are {', '.join(PollFile.model_fields)}"
    if error["type"] == "missing":
        return f"{key}: missing"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{key}: {said}" if key else said
