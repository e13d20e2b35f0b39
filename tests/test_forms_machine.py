"""Does a form survive anybody: wrong answers, 上一步, edits, other commands, two addresses, restarts?

Hypothesis plays two people at once. The oracle knows nothing of the engine: it reads which question stands on the
screen, as a person would, and remembers the last right answer given to it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.forms import Forms, build_forms
from tests.people import Chat

TITLES = {"为什么外出": "事由", "去哪里": "去向", "去几天": "天数", "哪天动身": "动身", "谁替您值班": "替班",
          "请写下安排": "安排"}  # fmt: skip
FIELDS = {"事由": "reason", "去向": "place", "天数": "days", "动身": "leaves", "替班": "cover", "安排": "plans"}
PLANS = ("坐高铁去，住两晚，周四回来。", "第一天开会，第二天参观学习。", "去市里的医院复查，当天来回。")
RIGHT: dict[str, dict[str, Any]] = {
    "事由": {"出差": "trip", "看病": "ill", "1": "trip", "2": "ill", "trip": "trip"},
    "去向": {"南京": "南京", "10号楼": "10号楼", "  上海\u200b ": "上海", "42": "42"},
    "天数": {"1": 1, "２": 2, "30": 30, "007": 7},
    "动身": {"明天": date(2026, 11, 25), "12月1日": date(2026, 12, 1), "2026-11-24": date(2026, 11, 24)},
    "替班": {"钱书记": "钱书记", "12": "12", "跳过": None},
    "安排": {text: text for text in PLANS},
}
WRONG = {
    "事由": ["旅游", "3", "0"],
    "去向": ["宁", "很" * 21],
    "天数": ["两天", "-1", "1.5"],
    "动身": ["改天", "2月30日", "1"],
    "替班": ["名" * 4001],
    "安排": [],
}


@dataclass(repr=False)
class Person:
    """What somebody should find: the answers that stand, and where the form stands open."""

    name: str
    chats: list[Chat]
    answers: dict[str, Any] = field(default_factory=dict)
    here: Chat | None = None
    sent: str = ""
    """Pieces of prose sent and not finished."""

    def __repr__(self) -> str:
        return self.name

    @property
    def asked(self) -> list[str]:
        return [title for title in FIELDS if title != "去向" or self.answers.get("事由") == "trip"]

    @property
    def screen(self) -> str:
        """The title of the question that stands open, or 核对."""
        assert self.here
        text = self.here.text
        if "请核对" in text:
            return "核对"
        if text.startswith("收到"):
            return "安排"
        (title,) = (title for words, title in TITLES.items() if re.search(f"^(（./.）){words}", text, re.M))
        return title

    def stands_at(self, *screens: str) -> bool:
        """Whether a form of theirs stands open, at one of these questions."""
        return self.here is not None and (not screens or self.screen in screens)


in_the_form = precondition(lambda self: any(person.stands_at() for person in self.people))
at_a_question = precondition(lambda self: any(person.stands_at(*FIELDS) for person in self.people))
in_the_review = precondition(lambda self: any(person.stands_at("核对") for person in self.people))


class Filling(RuleBasedStateMachine):
    """Two people fill in the same form, each in a telegram chat and in the web chat."""

    forms: Forms
    count = 0
    people: tuple[Person, ...] = ()

    @initialize()
    def two_people(self) -> None:
        house, people = self.forms.house, []
        for _ in range(2):
            Filling.count += 1
            name = f"同志{Filling.count}"
            house.person(name, f"9{Filling.count:05}")
            people.append(Person(name, [house.chat(name), house.chat(name, "web")]))
        self.people = tuple(people)

    def somebody(self, data: st.DataObject, *screens: str) -> Person:
        return data.draw(st.sampled_from([person for person in self.people if person.stands_at(*screens)]))

    @rule(who=st.integers(0, 1), chat=st.integers(0, 1), anew=st.booleans())
    def begins(self, who: int, chat: int, anew: bool) -> None:
        person = self.people[who]
        if person.here and not anew:
            return
        person.here, person.answers, person.sent = person.chats[chat], {}, ""
        assert "为什么外出" in person.here.say("外出报备")
        assert "目前是" not in person.here.text

    @at_a_question
    @rule(data=st.data(), times=st.sampled_from([1, 2, 30]))
    def answers(self, data: st.DataObject, times: int) -> None:
        """Once or twice, or to the end."""
        person = self.somebody(data, *FIELDS)
        for _ in range(times):
            title = person.screen
            if title == "核对":
                return
            text = data.draw(st.sampled_from(sorted(RIGHT[title])))
            assert person.here
            person.here.say(text)
            if title == "安排":
                self.sends_a_piece(person, text, finish=data.draw(st.booleans()))
            else:
                person.answers[title] = RIGHT[title][text]
                self.moved_on(person)

    def sends_a_piece(self, person: Person, text: str, *, finish: bool) -> None:
        assert person.here
        whole = f"{person.sent}\n{text}" if person.sent else text
        if len(whole) > 60:
            assert "最多60字" in person.here.text
        else:
            person.sent = whole
            assert person.here.text.startswith(f"收到，已有{len(whole)}字")
        if finish:
            person.here.say("完")
            person.answers["安排"], person.sent = person.sent, ""
            self.moved_on(person)

    def moved_on(self, person: Person) -> None:
        """The next thing on the screen is the first question without an answer, or the review."""
        missing = [title for title in person.asked if title not in person.answers]
        assert person.screen == (missing[0] if missing else "核对")

    @at_a_question
    @rule(data=st.data())
    def answers_wrongly(self, data: st.DataObject) -> None:
        person = self.somebody(data, *FIELDS)
        title = person.screen
        assert person.here
        if title == "安排":
            if not person.sent:
                assert person.here.say("完").startswith("这里不能空着")
            return
        person.here.say(data.draw(st.sampled_from(WRONG[title])))
        assert person.screen == title
        assert "\n\n" in person.here.text, "it is explained"

    @in_the_form
    @rule(data=st.data())
    def goes_back(self, data: st.DataObject) -> None:
        person = self.somebody(data)
        asked, title = person.asked, person.screen
        place = asked.index(title) if title in asked else len(asked)
        assert person.here
        person.here.say("上一步")
        assert person.screen == asked[max(place - 1, 0)]
        assert person.here.text.startswith("这已经是第一个问题了") == (place == 0)

    @in_the_review
    @rule(data=st.data())
    def edits(self, data: st.DataObject) -> None:
        person = self.somebody(data, "核对")
        title = data.draw(st.sampled_from(person.asked))
        assert person.here
        person.here.tap(f"改：{title}")
        assert person.screen == title

    @in_the_review
    @rule(data=st.data())
    def cancels(self, data: st.DataObject) -> None:
        person = self.somebody(data, "核对")
        assert person.here
        assert person.here.say("取消").endswith("确定取消吗？")
        assert person.here.say("取消").startswith("好的，「外出报备」已取消")
        person.here, person.answers = None, {}

    @in_the_form
    @rule(data=st.data(), command=st.sampled_from(["帮助", "投票", "我的", "语言", "/me"]))
    def says_something_else_and_comes_back(self, data: st.DataObject, command: str) -> None:
        person = self.somebody(data)
        title = person.screen
        assert person.here
        person.here.say(command)
        person.here.tap("继续填")
        assert person.screen == title

    @in_the_form
    @rule(data=st.data())
    def goes_on_elsewhere(self, data: st.DataObject) -> None:
        person = self.somebody(data)
        title, before = person.screen, person.here
        person.here = next(chat for chat in person.chats if chat is not before)
        person.here.say("您好")
        assert person.here.labels == ["继续", "重新开始", "不理会"]
        person.here.tap("继续")
        assert person.screen == title
        assert before
        assert re.search("没填完|过期", before.say("1")), "nothing stands open there any more"

    @in_the_review
    @rule(data=st.data())
    def submits(self, data: st.DataObject) -> None:
        person = self.somebody(data, "核对")
        assert person.here
        person.here.say("提交")
        name, filled = self.forms.taken.pop()
        wanted = {FIELDS[title]: person.answers[title] if title in person.asked else None for title in FIELDS}
        assert (name, vars(filled)) == (person.name, wanted)
        assert (type(vars(filled)["days"]), type(vars(filled)["leaves"])) == (int, date)
        person.here, person.answers = None, {}

    @rule()
    def the_process_is_restarted(self) -> None:
        self.forms.restart()

    @invariant()
    def time_passes(self) -> None:
        """Nobody does two things in one millisecond, by which drafts are told apart."""
        self.forms.house.now += timedelta(milliseconds=1)

    @precondition(lambda self: any(person.here is None for person in self.people))
    @rule(data=st.data(), text=st.text(max_size=30).filter(lambda text: not text.isdecimal()))
    def somebody_without_a_form_says_anything(self, data: st.DataObject, text: str) -> None:
        """Nobody gets into another's form."""
        person = data.draw(st.sampled_from([person for person in self.people if person.here is None]))
        said = person.chats[0].say(text)
        assert not any(words in said for words in ("请核对", "没填完", "为什么外出"))

    @invariant()
    def nothing_is_handed_in_by_itself(self) -> None:
        assert self.forms.taken == []


def test_a_form_survives_anybody() -> None:
    folder = Path(tempfile.mkdtemp(prefix="tiexin-"))
    try:
        Filling.forms = build_forms(folder)
        run_state_machine_as_test(Filling, settings=settings(max_examples=50, stateful_step_count=40))
        Filling.forms.house.app.database.close()
    finally:
        shutil.rmtree(folder)
