"""Are dues settled by those who may, with a reason, and told without a figure?"""

from __future__ import annotations

import pytest

from bot.core.reply import Refused
from handlers.dues import desk
from handlers.rights import today
from storage import audit, campaigns, offices, people
from storage.audit import OPERATOR, Actor
from tests.people import Chat, House

REGULATION = "《关于中国共产党党费收缴、使用和管理的规定》（中组发〔2008〕3号）"
NOTICE = "《关于进一步规范党费工作的通知》（组电明字〔2017〕5号）"


def settle(chat: Chat, member: str = "王芳", category: str = "按月领取工资", amount: str = "5400") -> str:
    """Go through 核定党费 up to the review of a first assessment."""
    chat.say(f"核定党费 {member}")
    chat.tap(category)
    if amount:
        chat.say(amount)
    return chat.tap("第一次核定")


def test_the_secretary_settles_a_base_and_the_member_sees_it(house_on: House) -> None:
    li, wang = house_on.chat("李书记"), house_on.chat("王芳")
    review = settle(li)
    assert "王芳（1001，第一支部）：从2026年11月起每月应交81.00元，以前的月份不变。" in review
    assert f"党费年初核定，“年内一般不变动”（{NOTICE}一（1）），所以会记下原因。" in review
    assert li.tap("提交").startswith("已核定：王芳（1001，第一支部），按月领取工资")
    assert "应交党费81.00元" in wang.say("党费")


def test_the_member_is_told_without_a_figure(house: House) -> None:
    li, wang = house.chat("李书记"), house.chat("王芳")
    settle(li)
    li.tap("提交")
    with house.app.database.read() as tx:
        (telling,) = campaigns.about(tx, "dues_assessed", house.ids["王芳"])
    told = wang.see(house.compose(telling, "王芳"))
    assert told.startswith("王芳同志，您的党费已经核定。")
    assert not any(digit in told for digit in "0123456789")
    assert "应交党费81.00元" in wang.tap("党费")


def test_who_and_why_is_logged_but_no_amount(house: House) -> None:
    li = house.chat("李书记")
    settle(li)
    li.tap("提交")
    with house.app.database.read() as tx:
        (entry,) = audit.log(tx, action="dues.")
    assert (entry["name"], entry["action"], entry["subject"]) == ("李书记", "dues.assess", "1001")
    assert entry["details"] == {"reason": "first", "approver": ""}


def test_a_treasurer_of_the_committee_reaches_every_branch(house: House) -> None:
    house.person("郑会计", "0002", branch="海川公司党委", office="党费管理员")
    zheng = house.chat("郑会计")
    assert "每月应交50.00元" in settle(zheng, "吴强", amount="5000")
    assert zheng.tap("提交").startswith("已核定：吴强")


def test_the_desk_offers_it_to_those_who_may(house: House) -> None:
    assert "核定党员的党费类别和基数" in house.chat("李书记").say("工作台")
    assert "核定党费" in house.chat("李书记").say("帮助")
    assert "核定党费" not in house.chat("王芳").say("帮助")


def test_a_member_may_settle_nobody(house: House) -> None:
    assert "给支部书记等工作人员用的" in house.chat("王芳").say("核定党费 1001")
    assert "没有找到" in house.chat("王芳").press(f"da:{house.ids['王芳']}")
    assert "过期" in house.chat("李书记").press("da:zzzzz")


def test_a_secretary_does_not_reach_into_another_branch(house: House) -> None:
    li = house.chat("李书记")
    said = li.say("核定党费 吴强")
    assert said == "在您负责的范围里没有找到“吴强”，请核对员工号或姓名。"
    assert li.say("核定党费 孙悟空").replace("孙悟空", "吴强") == said, "who lies beyond is answered like nobody"
    with house.app.database.write() as tx:
        wu, actor = people.get(tx, house.ids["吴强"]), Actor(house.ids["李书记"], "李书记", "chat")
        with pytest.raises(Refused) as no:
            desk.set_base(tx, house.now, actor, wu, "wage", 540000, reason="first")
    assert no.value.words.template == "rights.not_here"


def test_an_office_that_ends_while_the_form_is_open_settles_nothing(house: House) -> None:
    li, wang = house.chat("李书记"), house.chat("王芳")
    settle(li)
    with house.app.database.write() as tx:
        (held,) = offices.of_person(tx, house.ids["李书记"], today(tx, house.now))
        offices.end(tx, held.id, today(tx, house.now).replace(day=1))
    assert "没有找到" in li.tap("提交")
    assert "还没有核定" in wang.say("党费")


def test_namesakes_are_told_apart_by_a_tap(house_on: House) -> None:
    house_on.person("王芳", "1030")
    li = house_on.chat("李书记")
    li.say("核定党费")
    assert li.say("王芳") == "叫这个名字的有2位，是哪一位？"
    li.tap("1030 第一支部")
    li.tap("离退休")
    li.say("5000")
    assert "王芳（1030，第一支部）：从2026年11月起每月应交25.00元" in li.tap("第一次核定")


def test_a_fixed_amount_needs_no_base(house: House) -> None:
    assert "每月应交0.20元" in settle(house.chat("李书记"), category="学生", amount="")


def test_a_farmers_choice_outside_the_span_is_refused_with_the_article(house: House) -> None:
    li = house.chat("李书记")
    said = settle(li, category="农民", amount="2")
    assert said.startswith(f"农民每月交0.20元至1.00元，请改一下数额。依据：{REGULATION}第六条")
    assert "提交" not in li.labels
    li.tap("改：每月交")
    assert "每月应交0.50元" in li.say("5角")


def test_a_change_within_the_year_needs_a_named_approver(house: House) -> None:
    li = house.chat("李书记")
    settle(li)
    li.tap("提交")
    assert "王芳已经核定过，请另选一个原因。" in settle(li, amount="8000")
    li.tap("改：原因")
    assert "谁批准的" in li.tap("领了新标准的工资")
    assert "批准人：赵书记" in li.say("赵书记")
    assert "已核定" in li.tap("提交")
    assert "应交党费120.00元" in house.chat("王芳").say("党费")
    with house.app.database.write() as tx:
        wang = people.get(tx, house.ids["王芳"])
        with pytest.raises(Refused) as no:
            desk.set_base(tx, house.now, OPERATOR, wang, "wage", 540000, reason="correction")
    assert no.value.words.template == "dues.approver_needed"


def test_a_zero_is_settled_only_with_a_warning(house: House) -> None:
    review = settle(house.chat("李书记"), amount="0")
    assert "请注意：这样算下来是0.00元。少交或免交要经支部研究、上一级党委批准" in review


def test_who_pays_no_dues_is_not_assessed(house: House) -> None:
    said = house.chat("李书记").say("核定党费 陈晓")
    assert said.startswith("陈晓目前是入党积极分子，不用交党费，也就不用核定。")


@pytest.mark.parametrize(
    ("category", "base_fen", "reason", "template"),
    [
        ("nobility", 540000, "first", "dues.no_such_category"),
        ("wage", None, "first", "dues.amount_needed"),
        ("wage", -1, "first", "dues.amount_needed"),
        ("farmer", None, "first", "dues.amount_needed"),
        ("farmer", 19, "first", "dues.outside_span"),
        ("wage", 540000, "whim", "dues.no_such_reason"),
    ],
)
def test_the_use_case_checks_what_a_form_cannot_ask(
    house: House, category: str, base_fen: int | None, reason: str, template: str
) -> None:
    with house.app.database.write() as tx:
        wang = people.get(tx, house.ids["王芳"])
        with pytest.raises(Refused) as no:
            desk.set_base(tx, house.now, OPERATOR, wang, category, base_fen, reason=reason)
    assert no.value.words.template == template
