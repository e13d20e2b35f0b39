"""Do votes count once, change until the close, and stay hidden until then?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.reply import Refused
from handlers.voting import desk
from handlers.voting.desk import Plan
from storage import campaigns, deliveries, polls
from storage.audit import OPERATOR, Actor
from tests.people import House
from tests.polls import open_poll, votes


def test_one_tap_is_a_vote(house_on: House) -> None:
    poll = open_poll(house_on)
    wang = house_on.chat("王芳")
    assert "推荐优秀党员" in wang.say("投票")
    assert wang.tap("孙明").startswith("已记录：孙明")
    assert votes(house_on, poll) == {house_on.ids["王芳"]: (2,)}


def test_those_who_choose_the_same_are_told_so_each_in_their_language(house: House) -> None:
    open_poll(house)
    chats = [house.chat(name) for name in ("王芳", "孙明", "吴强")]
    for chat, language in zip(chats, ("zh", "en", "zh"), strict=True):
        chat.language = language
        chat.say("投票")
    told = [chat.tap("孙明").split("\n")[0] for chat in chats]
    assert told == ["已记录：孙明", "Recorded: 孙明", "已记录：孙明"]


def test_a_poll_that_has_changed_is_not_spoken_of_as_it_was(house: House) -> None:
    """What is said of a poll to many is written once; that must not outlive it."""
    poll = open_poll(house)
    wang, sun = house.chat("王芳"), house.chat("孙明")
    wang.say("投票")
    sun.say("投票")
    wang.tap("吴强")
    with house.app.database.write() as tx:
        polls.set_state(tx, poll, "open", was="open", title="推荐优秀党务工作者")
    assert "推荐优秀党务工作者" in sun.tap("吴强")


def test_each_of_many_options_has_a_button_of_its_own(house: House) -> None:
    options = tuple(f"第{number}号方案" for number in range(1, 13))
    poll = open_poll(house, options=options)
    wang = house.chat("王芳")
    wang.say("投票")
    payloads = [wang.key(option).payload or "" for option in options]
    counted: list[tuple[int, ...]] = []
    for payload in payloads:
        wang.press(payload)
        counted += votes(house, poll).values()
    assert counted == [(place,) for place in range(1, 13)]


def test_a_tap_delivered_twice_is_counted_once_and_gets_the_same_answer(house_on: House) -> None:
    poll = open_poll(house_on)
    wang = house_on.chat("王芳")
    wang.say("投票")
    payload = wang.key("孙明").payload or ""
    first = wang.press(payload, "update-7")
    assert wang.press(payload, "update-7") == first
    assert votes(house_on, poll) == {house_on.ids["王芳"]: (2,)}


def test_a_late_redelivery_does_not_undo_a_newer_vote(house: House) -> None:
    poll = open_poll(house)
    wang = house.chat("王芳")
    wang.say("投票")
    old, new = wang.key("孙明").payload or "", wang.key("吴强").payload or ""
    wang.press(old, "update-1")
    wang.press(new, "update-2")
    wang.press(old, "update-1")
    assert votes(house, poll) == {house.ids["王芳"]: (3,)}


def test_a_vote_can_be_changed_until_the_close(house: House) -> None:
    poll = open_poll(house)
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("孙明")
    wang.tap("改投")
    wang.tap("吴强")
    assert votes(house, poll) == {house.ids["王芳"]: (3,)}
    house.later(hours=24)
    wang.tap("改投")
    assert "截止" in wang.text
    assert "没有计入" in wang.text


def test_a_closed_poll_refuses_a_tap_even_before_the_clock_has_come_round(house: House) -> None:
    poll = open_poll(house)
    wang = house.chat("王芳")
    wang.say("投票")
    house.later(hours=24)
    assert "这一票没有计入" in wang.tap("孙明")
    assert votes(house, poll) == {}


def test_every_message_of_a_named_poll_says_so(house: House) -> None:
    poll = open_poll(house)
    wang, li = house.chat("王芳"), house.chat("李书记")
    said = [wang.say("投票"), wang.tap("孙明"), wang.say("投票"), wang.tap("改投")]
    with house.app.database.read() as tx:
        said.append(wang.see(house.compose(campaigns.about(tx, "poll", poll)[0], "吴强")))
    house.later(hours=24)
    house.tick()
    with house.app.database.read() as tx:
        said.append(li.see(house.compose(campaigns.about(tx, "poll_result", poll)[0], "李书记")))
    assert [text for text in said if "记名" not in text] == []


def test_nothing_is_told_of_the_result_before_the_close(house: House) -> None:
    poll = open_poll(house)
    wang, sun = house.chat("王芳"), house.chat("孙明")
    wang.say("投票")
    wang.tap("吴强")
    seen = sun.say("投票")
    assert "已投：1/7人" in seen
    assert "1票" not in seen
    with house.app.database.read() as tx:
        assert polls.result(tx, poll) is None


def test_the_result_goes_to_everybody_as_bars(house: House) -> None:
    poll = open_poll(house)
    for name, choice in (("王芳", "孙明"), ("李书记", "孙明"), ("孙明", "吴强")):
        chat = house.chat(name)
        chat.say("投票")
        chat.tap(choice)
    house.later(hours=24)
    for _ in range(3):
        house.tick()
    with house.app.database.read() as tx:
        (telling,) = campaigns.about(tx, "poll_result", poll)  # a poll closes once
        assert telling.total == 7
    text = house.chat("陈晓").see(house.compose(telling, "陈晓"))
    assert "孙明\n███████░░░ 2票（67%）" in text
    assert "王芳\n░░░░░░░░░░ 0票（0%）" in text
    assert "应投7人，实投3人，投票率43%" in text


def test_several_may_be_chosen_and_are_handed_in_together(house: House) -> None:
    poll = open_poll(house, choose=(1, 2))
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("王芳")
    wang.tap("孙明")
    assert "应当选1到2项" in wang.tap("吴强")
    assert votes(house, poll) == {}, "marks are no vote yet"
    wang.say("投票")
    wang.tap("☑ 王芳")  # takes the mark off
    wang.tap("吴强")
    assert wang.tap("提交").startswith("已记录：孙明、吴强")
    assert votes(house, poll) == {house.ids["王芳"]: (2, 3)}


def test_a_forwarded_button_does_nothing_for_somebody_else(house: House) -> None:
    poll = open_poll(house)
    wang, sun, zhou = house.chat("王芳"), house.chat("孙明"), house.chat("周")
    wang.say("投票")
    payload = wang.key("吴强").payload or ""
    assert "不是给您的" in sun.press(payload)
    assert "绑定码" in zhou.press(payload)
    assert votes(house, poll) == {}


def test_who_is_not_on_the_roll_cannot_vote(house: House) -> None:
    poll = open_poll(house, electorate="org:DW01&kind:正式党员")
    wang, wu = house.chat("王芳"), house.chat("吴强")
    wang.say("投票")
    assert wu.say("投票") == "眼下没有等您投的票。有新的投票，我会马上告诉您。"
    assert "不在这次投票的名单上" in wu.press(f"vs:{poll}")


def test_the_other_copies_are_brought_up_to_date(house: House) -> None:
    poll = open_poll(house)
    phone, browser = house.chat("王芳"), house.chat("王芳", "web")
    with house.app.database.write() as tx:
        campaigns.expand(tx, house.now)
        due = deliveries.claim(tx, house.now, "me", "web", 10, timedelta(minutes=1))
        deliveries.begin(tx, house.now, "me", [one.id for one in due])
        deliveries.finish(tx, house.now, "me", [deliveries.Outcome(one.id, "accepted", "77") for one in due])
    phone.say("投票")
    phone.tap("孙明")
    with house.app.database.write() as tx:
        again = deliveries.claim(tx, house.now, "me", "web", 10, timedelta(minutes=1))
        assert [(one.message, one.revise) for one in again] == [("77", True)]
        telling = campaigns.get(tx, again[0].campaign_id)
    assert browser.see(house.compose(telling, "王芳")).startswith("您已投「推荐优秀党员」：孙明")
    assert poll


def test_a_copy_that_was_on_its_way_is_brought_up_to_date_once_it_has_arrived(house: House) -> None:
    open_poll(house)
    phone, browser = house.chat("王芳"), house.chat("王芳", "web")
    with house.app.database.write() as tx:
        campaigns.expand(tx, house.now)
        due = deliveries.claim(tx, house.now, "me", "web", 10, timedelta(minutes=1))
        deliveries.begin(tx, house.now, "me", [one.id for one in due])
    phone.say("投票")
    phone.tap("孙明")
    with house.app.database.write() as tx:
        assert deliveries.claim(tx, house.now, "me", "web", 10, timedelta(minutes=1)) == []
        deliveries.finish(tx, house.now, "me", [deliveries.Outcome(one.id, "accepted", "77") for one in due])
        (again,) = deliveries.claim(tx, house.now, "me", "web", 10, timedelta(minutes=1))
        assert (again.message, again.revise, again.address) == ("77", True, browser.address)


def test_somebody_who_has_voted_is_not_nudged(house: House) -> None:
    poll = open_poll(house)
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("孙明")
    with house.app.database.write() as tx:
        assert desk.nudge(tx, house.now, OPERATOR, poll) == 6
        nudge = campaigns.about(tx, "poll", poll)[-1]
        assert house.ids["王芳"] not in campaigns.recipients(tx, nudge.id)


def test_a_scheduled_poll_opens_by_itself(house: House) -> None:
    with house.app.database.write() as tx:
        opens, closes = house.now + timedelta(hours=1), house.now + timedelta(hours=2)
        plan = Plan("明天的事", ("行", "不行"), "all", closes, opens=opens, secret=False)
        poll = desk.create(tx, house.now, OPERATOR, house.orgs["海川公司党委"], plan)
        desk.open_(tx, house.now, OPERATOR, poll)
    wang = house.chat("王芳")
    assert "还没开始" in wang.press(f"vs:{poll}")
    house.later(hours=1)
    house.tick()
    assert "明天的事" in wang.say("投票")


@pytest.mark.parametrize(
    ("change", "template"),
    [
        ({"secret": True}, "voting.no_box"),
        ({"rule": "party_election"}, "voting.rule_is_secret"),
        ({"rule": "beauty"}, "voting.no_such_rule"),
        ({"options": ("只有一个",)}, "voting.bad_options"),
        ({"options": ("行", "行")}, "voting.options_alike"),
        ({"choose": (2, 9)}, "voting.bad_choose"),
        ({"electorate": "org:没有"}, "scope.no_such_org"),
        ({"electorate": "kind:发展对象"}, "voting.empty_roll"),
        ({"hours": -1}, "voting.closes_too_early"),
        ({"title": " "}, "voting.bad_title"),
    ],
)  # fmt: skip
def test_a_poll_that_cannot_be_held_is_refused_with_its_reason(
    house: House, change: dict[str, object], template: str
) -> None:
    closes = house.now + timedelta(hours=float(str(change.pop("hours", 24))))
    values = {"title": "题目", "options": ("行", "不行"), "electorate": "all", "secret": False} | change
    with house.app.database.write() as tx, pytest.raises(Refused) as no:
        desk.create(tx, house.now, OPERATOR, house.orgs["海川公司党委"], Plan(closes=closes, **values))  # type: ignore[arg-type]  # a table of cases
    assert no.value.words.template == template


def test_a_branch_secretary_reaches_no_further_than_the_branch(house: House) -> None:
    li = Actor(house.ids["李书记"], "李书记", "chat")
    plan = Plan("题目", ("行", "不行"), "org:第二支部", house.now + timedelta(hours=1), secret=False)
    with house.app.database.write() as tx:
        with pytest.raises(Refused) as no:
            desk.create(tx, house.now, li, house.orgs["第二支部"], plan)
        assert no.value.words.template == "rights.not_here"
        with pytest.raises(Refused) as no:
            desk.create(tx, house.now, li, house.orgs["第一支部"], plan)
        assert (no.value.words.template, no.value.words.values["part"]) == ("scope.beyond", "org:第二支部")


def test_a_secretary_runs_a_poll_from_the_chat_alone(house: House) -> None:
    li, wang = house.chat("李书记"), house.chat("王芳")
    li.say("工作台")
    li.tap("发起投票")
    for answer in ("推荐先锋岗", "王芳\n孙明", "单选"):
        li.say(answer)
    li.tap("第一支部")
    li.tap("正式党员和预备党员")
    assert "将请 3 人投票" in li.say("明天下午6点")
    assert "记名" in li.tap("提交")
    wang.say("投票")
    wang.tap("孙明")
    li.say("工作台")
    assert "已投 1/3" in li.text
    li.tap("推荐先锋岗")
    assert "第一支部（2人）：李书记、孙明" in li.text
    li.tap("现在截止")
    assert "孙明\n██████████ 1票（100%）" in li.tap("确定截止")
    assert "眼下没有" in wang.say("投票")


def test_a_result_is_told_once_however_often_the_clock_ticks(house: House) -> None:
    poll = open_poll(house)
    house.later(hours=25)
    house.tick()
    house.tick()
    with house.app.database.read() as tx:
        assert len(campaigns.about(tx, "poll", poll)) == 1
        assert len(campaigns.about(tx, "poll_result", poll)) == 1
