"""What has been written in the demonstration? Reports of this month, a word to one, a note, two summaries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.cli.demo_people import BRANCHES, PERSONAS

if TYPE_CHECKING:
    from storage.audit import Actor
    from storage.house import Tx
    from storage.organisations import Org

WRITINGS = "demo.writings"
"""Kept once the demonstration has them: they are made once."""
ACTIVIST = PERSONAS[4]
WATCHED, OTHER = BRANCHES[1][0], BRANCHES[2][0]
"""The branch of the persona who is a secretary, and another."""
REPORTS = (
    "敬爱的党组织：这个月支部组织我们到社区帮老人装防诈骗软件，我负责其中六户。起初只想着快点装完，后来看到一位党员"
    "同志坐下来陪老人聊了半个小时，才明白服务不是完成任务。工作上，我参加了新系统的联调，连续两个晚上和大家一起查问题。"
    "我的不足是遇到难题容易急，下个月要改进的就是这一点。请党组织帮助我。",
    "敬爱的党组织：这个月我读完了支部推荐的文章，也听了一次微党课。印象最深的是“把小事做好”这句话，我就从手头的测试"
    "用例做起，把以前漏掉的边界情况补了二十多条。带我的师傅是老党员，他说质量就是对用户负责。我还缺少系统的理论学习，"
    "打算每周留出两个晚上读书，并把体会写下来向支部汇报。",
    "敬爱的党组织：这个月我第一次带新同事。讲的时候才发现，有些操作我自己也只知其然。我回去把手册重写了一遍，请党员"
    "同志帮着改，他逐条核对到很晚。我想，先进性就在这样的认真里。生活上，我报名参加了周末的义务植树。今后我要更主动地"
    "向身边的党员学习，也请支部多给我任务。",
)
COMMENT = "写得实在，有具体的事。下次可以多谈谈这件事让你对党员的责任有了什么新的认识。"
NOTE = "这次学习让我想到，走群众路线先要走近身边的人。我把班组每位同事最近的难处记在本子上，一件一件地去问、去帮。"
SUMMARIES = (
    (
        "开支部党员大会一次、主题党日一次；两名积极分子完成季度考察；走访困难职工三户。",
        "召开组织生活会前的谈心谈话；支部书记讲一次党课。",
    ),
    ("召开支委会一次，学习两次；组织党员突击队保障系统上线。", "开展主题党日；补齐入党积极分子的培养考察材料。"),
)


def add_writings(tx: Tx, now: datetime) -> None:
    """What is not there yet; once it has been there, it is left alone."""
    from storage import organisations, people, settings

    if settings.get(tx, WRITINGS) is not None:
        return
    orgs = {org.code: org for org in organisations.all_of(tx)}
    activist = people.by_number(tx, ACTIVIST.number)
    if activist is not None and activist.kind == ACTIVIST.kind and activist.left_on is None:
        home = organisations.get(tx, activist.organisation_id)
        _report(tx, now, activist.id, REPORTS[0], _secretary(tx, now, home))
    if watched := orgs.get(WATCHED):
        here = [one for one in people.roster(tx, watched) if one.kind == "入党积极分子"]
        for person, text in zip(here, REPORTS[1:], strict=False):
            _report(tx, now, person.id, text, None)
        if here:
            _note(tx, now, here[-1].id)
    for code, (done, plan) in zip((WATCHED, OTHER), SUMMARIES, strict=True):
        if org := orgs.get(code):
            _summary(tx, now, org, done, plan)
    settings.put(tx, WRITINGS, now.isoformat())


def _report(tx: Tx, now: datetime, person_id: int, text: str, reader: Actor | None) -> None:
    """A report of the running period, and a word of its reader."""
    from bot.core.kinds import Prose
    from handlers.reports import desk
    from storage import people

    period = desk.open_periods(tx, now, people.get(tx, person_id))[-1]
    receipt = desk.submit(tx, now, person_id, period, Prose(text), "web")
    if reader:
        desk.read(tx, now, reader, receipt.report.id)
        desk.comment(tx, now, reader, receipt.report.id, COMMENT)


def _note(tx: Tx, now: datetime, person_id: int) -> None:
    from bot.core.kinds import Prose
    from handlers.reports import notes

    notes.write(tx, now, person_id, Prose(NOTE), shared=True)


def _summary(tx: Tx, now: datetime, org: Org, done: str, plan: str) -> None:
    """What a branch said of the month before this, in time; nothing where its secretary was not in office yet."""
    from handlers.reports import summaries
    from handlers.reports.rules import Every, Period
    from handlers.rights import today

    month = Period.of(today(tx, now), Every.MONTH).before
    then = month.deadline(tx.house.zone).astimezone(now.tzinfo) - timedelta(hours=6)
    if secretary := _secretary(tx, then, org):
        summaries.submit(tx, then, secretary, org, month, done, plan)


def _secretary(tx: Tx, now: datetime, org: Org) -> Actor | None:
    from handlers.rights import today
    from storage import offices, people
    from storage.audit import Actor

    held = [one for one in offices.holders(tx, today(tx, now), org=org, roles=("支部书记",)) if one.org.id == org.id]
    return Actor(held[0].person_id, people.get(tx, held[0].person_id).name, "chat") if held else None
