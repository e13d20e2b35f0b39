"""Who lives in the demonstration? 166 people whom nobody knows, in five branches under one committee."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

ROOT = ("HC", "海川数据公司党委", "党委")
BRANCHES = (
    ("HC01", "综合管理党支部"),
    ("HC02", "研发第一党支部"),
    ("HC03", "研发第二党支部"),
    ("HC04", "市场营销党支部"),
    ("HC05", "运行维护党支部"),
)
SEED = 166
COUNTS = {"正式党员": 100, "预备党员": 18, "发展对象": 10, "入党积极分子": 18, "入党申请人": 14, "群众": 6}
"""166 in all."""
AGES = (19.5, 32.0)
MEAN_AGE = 24.8
"""A young company: the average that is met in practice."""
MEMBERS = ("正式党员", "预备党员")

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
)
SINGLE = {"男": "伟磊洋勇杰涛超明刚平辉鹏飞宇浩凯健俊帆博", "女": "芳娜敏静丽艳娟霞燕玲丹萍红琳洁梅琴倩颖雪"}
DOUBLE = {
    "男": "志远建华子轩浩然天宇文博俊杰家明海涛宏亮晓峰一鸣嘉诚立新思远",
    "女": "雨桐思涵晓梅海燕雅婷欣怡佳琪晓雯慧敏文静梦洁诗雨秀英春燕婉清",
}
"""Given names of one character, and of two."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody whom a visitor of the demonstration may be."""

    number: str
    name: str
    gender: str
    role: str
    line: str
    branch: int
    """The place among the branches."""
    kind: str = "正式党员"
    office: str = ""
    base_fen: int | None = 5400_00


PERSONAS = (
    Persona(
        "10001", "赵海川", "男", "党委书记", "管全公司的名册、通知和投票", 0, office="党委书记", base_fen=12800_00
    ),
    Persona(
        "10002",
        "李红梅",
        "女",
        "支部书记",
        "管研发第一党支部，看谁还没有回应",
        1,
        office="支部书记",
        base_fen=8600_00,
    ),
    Persona("10003", "王芳", "女", "出差党员", "在外地，用手机投票、查党费、收通知", 1),
    Persona("10004", "孙晓明", "男", "预备党员", "今年入党，看看每月应交多少党费", 2, "预备党员", base_fen=4800_00),
    Persona(
        "10005", "陈思源", "男", "入党积极分子", "看看入党走到哪一步、下一步是什么", 3, "入党积极分子", base_fen=None
    ),
)


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody of the demonstration, as `storage.people.add` takes them; `office` is held in `seat`."""

    branch: int
    values: dict[str, Any] = field(repr=False)
    office: str = ""


def residents(today: date) -> list[Resident]:
    """All 166, the same for the same day. Their telephone numbers begin with +999, which is no country's."""
    chance = Random(SEED)  # noqa: S311  # invented people, not secrets
    left = dict(COUNTS)
    found = []
    for persona in PERSONAS:
        left[persona.kind] -= 1
        values = _person(chance, today, persona.number, persona.name, persona.gender, persona.kind)
        values |= {"dues_base": persona.base_fen, "dues_category": "wage" if persona.kind in MEMBERS else ""}
        found.append(Resident(persona.branch, values, persona.office))
    kinds = [kind for kind, count in left.items() for _ in range(count)]
    chance.shuffle(kinds)
    names = {persona.name for persona in PERSONAS}
    seats = _seats()
    for place, kind in enumerate(kinds):
        gender = chance.choice("男女")
        name = _name(chance, gender, names)
        branch = place % len(BRANCHES)
        values = _person(chance, today, f"{10006 + place}", name, gender, kind)
        office = seats[branch].pop(0) if kind == "正式党员" and seats[branch] else ""
        found.append(Resident(branch, values, office))
    return found


def _seats() -> list[list[str]]:
    """The offices to fill in each branch, beside those of the personas."""
    branch = ["支部书记", "组织委员", "宣传委员", "纪检委员", "党费管理员", "信息员"]
    seats = [list(branch) for _ in BRANCHES]
    for persona in PERSONAS:
        if persona.office in seats[persona.branch]:
            seats[persona.branch].remove(persona.office)
    seats[0] += ["党委副书记", "党委委员", "党委委员", "党务干事"]
    return seats


def _name(chance: Random, gender: str, names: set[str]) -> str:
    while True:
        pair = 2 * chance.randrange(len(DOUBLE[gender]) // 2)
        given = chance.choice((chance.choice(SINGLE[gender]), DOUBLE[gender][pair : pair + 2]))
        name = chance.choice(SURNAMES) + given
        if name not in names:
            names.add(name)
            return name


def _person(chance: Random, today: date, number: str, name: str, gender: str, kind: str) -> dict[str, Any]:
    """Days that go with each other: of age when admitted, a year of probation, nothing in the future."""
    youngest = {"正式党员": 21.0, "预备党员": 19.5}.get(kind, AGES[0])
    age = min(AGES[1], max(youngest, chance.gauss(MEAN_AGE + 0.2, 2.2)))
    born = today - timedelta(days=int(age * 365.25))
    admitted = confirmed = None
    if kind == "正式党员":
        earliest = born + timedelta(days=int(18.6 * 365.25))
        span = (today - earliest).days - 400
        admitted = earliest + timedelta(days=chance.randrange(max(1, span)))
        confirmed = _a_year_after(admitted) + timedelta(days=chance.randrange(25))
    elif kind == "预备党员":
        admitted = today - timedelta(days=chance.randrange(30, 330))
    values: dict[str, Any] = {
        "number": number, "name": name, "gender": gender, "born": born, "kind": kind, "admitted_on": admitted,
        "confirmed_on": confirmed, "phone": f"+999{int(number):08d}", "email": f"u{number}@example.com",
    }  # fmt: skip
    if kind in MEMBERS:
        values["dues_category"] = "annual_salary" if chance.random() < 0.05 else "wage"
        values["dues_base"] = 100 * chance.randrange(2800, 15000, 50)
    return values


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, month=3, day=1)
