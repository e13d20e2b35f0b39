"""Does 党费 answer like a colleague who knows the rule: the figure, how it comes about, and the article?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.action import Code
from handlers.dues import desk
from handlers.dues.chat import Estimate
from storage import people
from tests.people import Chat, House, build_house

REGULATION = "《关于中国共产党党费收缴、使用和管理的规定》（中组发〔2008〕3号）"
NOTICE = "《关于进一步规范党费工作的通知》（组电明字〔2017〕5号）"


def ask_dues(house: House, base_fen: int | None, category: str = "wage", kind: str = "正式党员") -> str:
    """What somebody with this base and category hears who sends 党费."""
    name = f"何{len(house.ids)}"
    house.person(name, f"3{len(house.ids):03}", kind=kind, dues_category=category, dues_base=base_fen)
    return house.chat(name).say("党费").replace(name, "何")


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[House]:
    """The house, where figures stay on its own page."""
    built = build_house(tmp_path, policy__channels="strict")
    yield built
    built.app.database.close()


# -- my own dues ----------------------------------------------------------------------------------------------


def test_a_member_reads_the_amount_how_it_comes_about_and_the_article(house: House) -> None:
    assert ask_dues(house, 540000) == (
        "何同志，您11月应交党费81.00元。\n"
        "\n"
        "类别：按月领取工资\n"
        "基数：5400.00元（“工资总额中相对固定的、经常性的工资收入（税后）”）\n"
        "算法：5400.00 × 1.5% = 81.00元（基数超过5000.00元、不超过10000.00元的，整个基数都按1.5%算）\n"
        f"依据：{REGULATION}第一条、第二条"
    )


@pytest.mark.parametrize(
    ("base_fen", "due", "bracket"),
    [
        (1, "0.00", "基数不超过3000.00元的，整个基数都按0.5%算"),
        (300000, "15.00", "基数不超过3000.00元的，整个基数都按0.5%算"),
        (300001, "30.00", "基数超过3000.00元、不超过5000.00元的，整个基数都按1%算"),
        (500000, "50.00", "基数超过3000.00元、不超过5000.00元的，整个基数都按1%算"),
        (500001, "75.00", "基数超过5000.00元、不超过10000.00元的，整个基数都按1.5%算"),
        (1000000, "150.00", "基数超过5000.00元、不超过10000.00元的，整个基数都按1.5%算"),
        (1000001, "200.00", "基数超过10000.00元的，整个基数都按2%算"),
        (5000000, "1000.00", "基数超过10000.00元的，整个基数都按2%算"),
    ],
)
def test_at_each_edge_of_the_brackets_the_whole_base_pays_one_rate(
    house: House, base_fen: int, due: str, bracket: str
) -> None:
    said = ask_dues(house, base_fen)
    assert f"{due}元。" in said.split("\n")[0]
    assert bracket in said
    assert "封顶" not in said


@pytest.mark.parametrize(
    ("base_fen", "due", "bracket"),
    [
        (500000, "25.00", "基数不超过5000.00元的，整个基数都按0.5%算"),
        (500001, "50.00", "基数超过5000.00元的，整个基数都按1%算"),
    ],
)
def test_the_retired_pay_by_their_own_scale(house: House, base_fen: int, due: str, bracket: str) -> None:
    said = ask_dues(house, base_fen, "pension")
    assert f"应交党费{due}元" in said
    assert bracket in said
    assert said.endswith(f"依据：{REGULATION}第五条")


def test_rounding_is_named_as_our_own_choice_where_it_shows(house: House) -> None:
    said = ask_dues(house, 500100)
    assert "应交党费75.02元" in said
    assert "取整：四舍五入到分，75.015元算作75.02元（怎样取整，规定没有写，这是本组织的做法）" in said
    assert "取整" not in ask_dues(house, 540000)


def test_above_the_ceiling_a_thousand_is_due_and_more_is_free_will(house: House) -> None:
    said = ask_dues(house, 50_001_00, "annual_salary")
    assert "应交党费1000.00元" in said
    assert "50001.00 × 2% = 1000.02元" in said
    assert "封顶：每名党员每月一般不超过1000.00元，所以按1000.00元；自愿可以多交" in said
    assert said.endswith(f"依据：{REGULATION}第三条、第二条；{NOTICE}一（1）")


def test_an_income_by_the_quarter_cites_its_own_article(house: House) -> None:
    assert "个人上季度月平均纯收入" in ask_dues(house, 300000, "quarter_average")


@pytest.mark.parametrize("category", ["student", "laid_off", "relief", "minimum_allowance"])
def test_who_pays_a_fixed_amount_reads_it_without_any_base(house: House, category: str) -> None:
    said = ask_dues(house, None, category)
    assert "应交党费0.20元" in said
    assert "每月0.20元" in said
    assert "基数" not in said
    assert said.endswith(f"依据：{REGULATION}第六条")


def test_a_farmer_chooses_within_the_span(house: House) -> None:
    said = ask_dues(house, None, "farmer")
    assert "农民党员每月交0.20元至1.00元，交多少由您自己定" in said
    assert "李书记（支部书记）" in said
    assert "应交党费0.50元" in ask_dues(house, 50, "farmer")
    assert "由您自己定" in ask_dues(house, 540000, "farmer"), "a wage is no choice within the span"


def test_without_a_base_the_member_hears_who_settles_it_and_may_reckon(house: House) -> None:
    wang = house.chat("王芳")
    said = wang.say("党费")
    assert said.startswith("王芳同志，您的党费计算基数还没有核定，所以11月应交多少现在还算不出来。")
    assert "李书记（支部书记）" in said
    assert "元" not in said.replace("5400", ""), "nothing that looks like a bill"
    assert wang.labels == ["算党费"]


def test_the_secretary_is_not_sent_to_himself(house: House) -> None:
    assert "请联系党费管理员或支部书记" in house.chat("李书记").say("党费")


def test_without_a_category_a_wage_is_assumed_and_said_so(house: House) -> None:
    said = ask_dues(house, 540000, "")
    assert "应交党费81.00元" in said
    assert "名册上没有写您的党费类别，这里先按“按月领取工资”算" in said


def test_no_income_is_no_silent_zero_but_a_question_for_the_branch(house: House) -> None:
    said = ask_dues(house, 0)
    assert "应交党费" not in said
    assert "要不要交、交多少，由支部来定" in said
    assert f"“经党支部研究，报上一级党委批准”，可以少交或免交（{REGULATION}第七条）" in said


def test_what_rounds_to_nothing_is_for_the_branch_as_well(house: House) -> None:
    said = ask_dues(house, 50)
    assert "11月的党费取整以后是0.00元。要不要交、交多少，由支部来定" in said
    assert "应交党费" not in said


@pytest.mark.parametrize("kind", ["发展对象", "入党积极分子", "入党申请人", "群众"])
def test_who_is_no_member_hears_from_when_dues_are_paid(house: House, kind: str) -> None:
    said = ask_dues(house, None, "", kind)
    assert said == (
        f"何，您好。您目前是{kind}，不用交党费。\n"
        "党费是“从支部大会通过其为预备党员之日起交纳党费”的。\n"
        f"依据：{REGULATION}第八条"
    )


def test_a_member_on_probation_pays(house: House) -> None:
    assert "应交党费15.00元" in ask_dues(house, 300000, kind="预备党员")


def test_the_month_is_that_of_beijing(house: House) -> None:
    house.person("何", "3000", dues_category="wage", dues_base=300000)
    he = house.chat("何")
    house.later(days=6, hours=13)  # 30 November, 23:00 in Beijing
    assert "11月" in he.say("党费")
    house.later(hours=1)
    assert "12月" in he.say("党费")


def test_a_stranger_learns_nothing(house: House) -> None:
    zhou = house.chat("周")
    for said in (zhou.say("党费"), zhou.say("如果基数是5400"), zhou.say("核定党费 1001"), zhou.press("dc:wage:2s")):
        assert "绑定码" in said
        assert "元" not in said


def test_an_organisation_has_its_own_figures_and_its_own_rounding(tmp_path: Path) -> None:
    table = Path(desk.__file__).with_name("dues.toml").read_text(encoding="utf-8")
    own = table.replace('unit = "0.01"', 'unit = "0.1"').replace('letter = "T"', 'letter = "M"')
    (tmp_path / "rules").mkdir()
    lines = [line for line in own.splitlines() if not line.startswith("quote =")]
    (tmp_path / "rules" / "dues.toml").write_text("\n".join(lines), encoding="utf-8")
    house = build_house(tmp_path, rules__dir=str(tmp_path / "rules"))
    said = ask_dues(house, 123400)
    house.app.database.close()
    assert "四舍五入到角，6.17元算作6.20元" in said
    assert said.endswith("第一条、第二条（待核）")


# -- the calculator -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "如果基数是5400",
        "如果基数是 5400",
        "如果基数是：5,400.00元",
        "如果基数是5400元呢",
        "如果基数是５４００元的话，每月要交多少？",
        "如果基数为五千四",
        "如果基数是五千四百块，我应该交多少呢",
        "算党费 5400",
        "算党费5400",
        "党费计算 5400",
        "/calc 5400",
    ],
)
def test_whatever_way_it_is_asked_the_number_is_said_back(house: House, typed: str) -> None:
    said = house.chat("王芳").say(typed)
    assert said.startswith("按基数5400.00元算，每月应交党费81.00元。")
    assert "这只是估算，什么也没有登记" in said
    with house.app.database.read() as tx:
        assert people.dues_of(tx, house.ids["王芳"]) == ("", None)


def test_ten_thousand_two_is_read_as_people_mean_it(house: House) -> None:
    assert house.chat("王芳").say("如果基数是1万2").startswith("按基数12000.00元算，每月应交党费240.00元。")


def test_the_calculator_asks_when_no_number_is_given(house: House) -> None:
    wang = house.chat("王芳")
    assert wang.say("算党费") == "基数是多少元？例如 5400，或者 1万2。"
    assert wang.say("5400").startswith("按基数5400.00元算，每月应交党费81.00元。")
    assert "按离退休费算" in wang.labels
    wang.say("算党费")
    assert wang.say("如果基数是5400呢？").startswith("按基数5400.00元算"), "a sentence is an answer as well"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("不知道", "没看懂这个金额"),
        ("-5400", "金额不能是负数"),
        ("5400.123", "金额最多写到分"),
        ("99999999999", "这个金额太大了，最多是10000000.00元"),
        ("9" * 300, "这个金额太大了"),
    ],
)
def test_what_is_no_amount_is_explained_and_may_be_typed_again(house: House, typed: str, problem: str) -> None:
    wang = house.chat("王芳")
    wang.say("算党费")
    assert wang.say(typed).startswith(problem)
    assert wang.say("5400").startswith("按基数5400.00元算")
    outright = wang.say(f"如果基数是{typed}")
    assert outright.startswith(problem)
    assert "如果基数是5400" in outright


def test_one_tap_reckons_as_a_pension_and_back(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("如果基数是5400")
    assert "每月应交党费54.00元" in wang.tap("按离退休费算")
    assert "每月应交党费81.00元" in wang.tap("按工资算")


def test_the_retired_reckon_by_their_own_scale_first(house: House) -> None:
    house.person("何", "3000", dues_category="pension", dues_base=300000)
    he = house.chat("何")
    assert "每月应交党费54.00元" in he.say("如果基数是5400")
    assert "每月应交党费81.00元" in he.tap("按工资算")


def test_a_student_reckons_what_a_wage_will_cost(house: House) -> None:
    house.person("何", "3000", dues_category="student")
    assert "每月应交党费81.00元" in house.chat("何").say("如果基数是5400")


def test_an_estimate_of_nothing_is_left_to_the_branch(house: House) -> None:
    said = house.chat("王芳").say("如果基数是0")
    assert said.startswith("按基数0.00元算，就是没有收入。要不要交、交多少，由支部来定。")
    assert "取整以后是0.00元" in house.chat("王芳").say("如果基数是0.5")


def test_a_forged_button_is_answered_like_an_old_one(house: House) -> None:
    wang = house.chat("王芳")
    assert "过期" in wang.press(Estimate(Code("wage"), 2**62).encode())
    assert "过期" in wang.press("dc:wage:-1")
    assert "类别：按月领取工资" in wang.press(Estimate(Code("nobility"), 540000).encode())


# -- where figures may be shown -------------------------------------------------------------------------------


def test_under_the_strict_policy_figures_stay_on_the_page(strict: House) -> None:
    strict.person("何", "3000", dues_category="wage", dues_base=540000)
    phone, page = strict.chat("何"), strict.chat("何", "web")
    said = phone.say("党费")
    assert said == "按本组织的规定，这项内容不在这个聊天里显示。请打开下面的网页链接，在那里查看、办理。"
    assert phone.labels == ["打开网页"]
    assert "/l/" in (phone.key("打开网页").path or ""), "a link that signs them in, and brings the answer along"
    assert "应交党费81.00元" in page.say("党费")


def test_the_strict_policy_holds_for_the_calculator_and_for_those_who_settle(strict: House) -> None:
    li = strict.chat("李书记")
    for said in (li.say("如果基数是5400"), li.say("算党费"), li.say("核定党费 1001"), li.press("dc:wage:2s")):
        assert said.startswith("按本组织的规定")
    page = strict.chat("李书记", "web")
    page.say("算党费")
    li.say("你好")
    assert li.labels == ["打开网页"], "what is half filled in is no matter for this chat either"
    assert li.press(page.key("取消").payload or "").startswith("按本组织的规定"), (
        "begun on the page, carried on in the chat"
    )


# -- in English ------------------------------------------------------------------------------------------------


def in_english(house: House, name: str) -> Chat:
    chat = house.chat(name)
    chat.say("语言")
    chat.tap("English")
    return chat


def test_an_english_reader_gets_it_all_in_english(house: House) -> None:
    house.person("何", "3000", dues_category="wage", dues_base=500100)
    he = in_english(house, "何")
    said = he.say("/dues")
    assert said.startswith("何, your dues for November are 75.02 yuan.")
    assert "a base above 5000.00 and up to 10000.00 yuan pays 1.5% on the whole of it" in said
    assert (
        "75.015 becomes 75.02 yuan (the rules do not say how to round; this is the organisation's own choice)" in said
    )
    assert said.endswith(f"By: {REGULATION}第一条、第二条")
    assert he.labels == ["Reckon dues"]
    assert he.say("/calc 5400").startswith("With a base of 5400.00 yuan the dues are 81.00 yuan a month.")
    assert "You pay no dues" in in_english(house, "陈晓").say("/dues")
    assert "has not been settled yet" in in_english(house, "王芳").say("/dues")


@pytest.fixture
def english(tmp_path: Path) -> Iterator[House]:
    """The house of an organisation that speaks English."""
    built = build_house(tmp_path, org__language="en")
    yield built
    built.app.database.close()


@pytest.mark.parametrize(
    ("base_fen", "category"),
    [
        (0, "wage"), (50, "wage"), (300001, ""), (500100, "annual_salary"), (5000100, "wage"), (1234567, "pension"),
        (None, "wage"), (None, "student"), (None, "farmer"), (50, "farmer"),
    ],
)  # fmt: skip
def test_nothing_but_titles_and_quotations_is_left_in_chinese(
    english: House, base_fen: int | None, category: str
) -> None:
    english.person("Ma", "3000", dues_category=category, dues_base=base_fen)
    ma, li = english.chat("Ma"), english.chat("李书记")
    for typed in ("/dues", "/calc 0", "/calc 0.5", "/calc 99999", "/calc x", "/calc", "many"):
        ma.say(typed)
    for typed in ("/setdues 1004", "/setdues nobody", "/setdues", "3000", "1", "0"):
        li.say(typed)
    li.tap("first")
    if base_fen is not None:  # not for the first time, then
        li.tap("Change: Reason")
        li.tap("wage by")
        li.say("Zhao")
    li.tap("Submit")
    chen = english.chat("陈晓")
    chen.say("/dues")
    heard = [message for chat in (ma, li, chen) for message in chat.heard]
    texts = [message.text for message in heard] + [key.label for m in heard for row in m.keys for key in row]
    known = r"《[^》]*》（[^）]*）[一二三第条四五六七八、（）1]*|“[^”]*”|李书记|陈晓|第一支部|待核"
    assert [text for text in texts if re.search("[\u4e00-\u9fff]", re.sub(known, "", text))] == []
