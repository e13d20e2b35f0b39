"""Can a form be filled in as people do it: slowly, wrongly, in two places, with an interruption?"""

from __future__ import annotations

from datetime import date

from tests.forms import Forms, fill, outing_with_train
from tests.people import Chat, House

PLANS = "坐高铁去，住两晚，周四回来。"


def to_review(chat: Chat) -> str:
    return fill(chat, "看病", "2", "明天", "跳过", PLANS, "完")


def test_wang_fang_is_asked_one_thing_after_the_other(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    assert wang.say("外出报备") == "（1/5）为什么外出？"
    assert wang.labels == ["出差", "看病", "取消"]
    assert wang.tap("出差") == "（2/6）去哪里？"
    assert wang.labels == ["上一步", "取消"]
    assert wang.say("南京") == "（3/6）去几天？请发一个数字。"
    assert wang.say("3") == "（4/6）哪天动身？"
    assert wang.labels == ["2026-11-24", "上一步", "取消"]
    assert wang.tap("2026-11-24") == "（5/6）谁替您值班？没有可以跳过。"
    assert wang.labels == ["上一步", "跳过", "取消"]
    assert wang.tap("跳过") == "（6/6）请写下安排，可以分几条发，写完发“完”。"
    assert wang.say("坐高铁去。") == "收到，已有5字，还差5字。可以接着发，写完发“完”。"
    assert wang.say("住两晚再回来。") == "收到，已有13字。可以接着发，写完发“完”。"
    assert wang.tap("写完了") == (
        "请核对一下「外出报备」：\n· 事由：出差\n· 去向：南京\n· 天数：3\n· 动身：2026年11月24日（周二）\n"
        "· 替班：（未填）\n· 安排：坐高铁去。\n住两晚再回来。\n\n支部书记会看到这份报备。"
    )
    assert wang.labels[0] == "提交"
    assert wang.tap("提交") == "已报备：3天。"
    ((name, filled),) = forms.taken
    assert (name, vars(filled)) == (
        "王芳",
        {"reason": "trip", "place": "南京", "days": 3, "leaves": date(2026, 11, 24), "cover": None,
         "plans": "坐高铁去。\n住两晚再回来。"},
    )  # fmt: skip


def test_a_wrong_answer_is_explained_and_asked_again(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    assert fill(wang, "旅游") == "请从下面的选项里选一个。\n\n（1/5）为什么外出？"
    assert fill(wang, "出差", "宁") == "现在1字，至少要2字，请再写一些。\n\n（2/6）去哪里？"
    assert wang.say("很" * 21).startswith("现在21字，最多20字")
    assert fill(wang, "看病", "两三天").startswith("请发一个整数，例如 3。")
    assert fill(wang, "看病", "2", "2月30日").startswith("日历上没有“2月30日”这一天")
    assert wang.say("改天").startswith("没看懂这个日期")
    assert fill(wang, "看病", "2", "明天", "钱书记", "短", "完").startswith("现在1字，至少要10字")
    assert "写完了" in wang.labels, "what has been sent already is not lost"
    assert wang.say("接着写完这一段安排") == "收到，已有11字。可以接着发，写完发“完”。"
    assert "请核对" in wang.say("完了。")


def test_a_choice_may_be_tapped_typed_or_numbered(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    assert "去哪里" in fill(wang, "出差")
    assert "去几天" in fill(wang, "看病")
    assert "去哪里" in fill(wang, "1")
    assert "去几天" in fill(wang, "２")  # as a Chinese keyboard types it
    assert "从下面的选项里选一个" in fill(wang, "3")


def test_a_choice_may_be_typed_by_its_beginning_where_only_one_begins_so(house: House) -> None:
    """所有人 was refused where 所有人（含申请人、积极分子、群众） stood below it."""
    li = house.chat("李书记")
    li.say("发起投票")
    for answer in ("周末去哪里", "香山\n北海", "单选", "第一支部"):
        li.say(answer)
    assert "请从下面的选项里选一个" in li.say("正式"), "two begin so"
    assert "什么时候截止" in li.say("正式党员"), "what is said in full is meant, though another begins so"
    li.say("上一步")
    assert "什么时候截止" in li.say("所有人")
    li.language = "en-GB"
    li.say("back")
    assert "When does it close" in li.say("Every"), li.text


def test_a_number_is_the_answer_where_a_number_is_asked_for(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    assert "哪天动身" in fill(wang, "看病", "1")
    assert wang.say("1").startswith("没看懂这个日期"), "1 is no button while a day is asked for"


def test_one_step_back_shows_what_was_answered(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差", "南京", "3")
    assert wang.say("上一步") == "（3/6）去几天？请发一个数字。\n目前是：3"
    assert wang.tap("上一步") == "（2/6）去哪里？\n目前是：南京"
    assert wang.say("返回") == "（1/6）为什么外出？\n目前是：出差"
    assert wang.say("/back").startswith("这已经是第一个问题了。")
    assert "哪天动身" in wang.tap("看病"), "the place is not asked for any more, the days stand"
    assert "目前是：3" in wang.say("上一步")


def test_a_double_tap_answers_one_question(forms: Forms) -> None:
    """A second tap on 跳过 skipped the next question as well, and one on 上一步 went back twice."""
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "2", "明天", "钱书记")
    back = wang.key("上一步").payload or ""
    assert "谁替您" in wang.press(back)
    assert wang.press(back) == "这一步现在用不上，我们接着来。\n\n（4/5）谁替您值班？没有可以跳过。\n目前是：钱书记"
    skip = wang.key("跳过").payload or ""
    wang.press(skip)
    assert "这一步现在用不上" in wang.press(skip)
    assert "请写下安排" in wang.text


def test_cancelling_forgets_everything(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差", "南京")
    assert wang.say("取消") == "好的，「外出报备」已取消，填过的内容没有保存。"
    assert wang.say("取消").startswith("现在没有正在填写的内容")
    assert "目前是" not in wang.say("外出报备")


def test_only_what_is_optional_can_be_skipped(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差")
    assert wang.say("跳过") == "（3/6）去几天？请发一个数字。", "a place may be called 跳过"
    assert wang.say("跳过").startswith("请发一个整数")


def test_any_answer_can_be_changed_in_the_review(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    to_review(wang)
    assert wang.labels == ["提交", "改：事由", "改：天数", "改：动身", "改：替班", "改：安排", "上一步", "取消"]
    assert wang.tap("改：天数") == "（2/5）去几天？请发一个数字。\n目前是：2"
    assert "· 天数：5" in wang.say("5")
    assert wang.tap("改：事由") == "（1/5）为什么外出？\n目前是：看病"
    assert wang.tap("出差") == "（2/6）去哪里？", "a trip has a place"
    assert "· 去向：上海" in wang.say("上海")
    assert wang.say("4").startswith("（3/6）去几天"), "the fourth button of the review"
    wang.say("6")
    assert wang.say("确认提交") == "已报备：6天。"
    assert vars(forms.taken[0][1])["place"] == "上海"


def test_words_said_to_the_review_are_not_lost_in_silence(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    to_review(wang)
    assert wang.say("好像不对").startswith("都填好了：没问题就提交")


def test_prose_is_measured_as_a_whole(forms: Forms) -> None:
    """Pieces were counted without the line ends between them: all fitted, and the whole did not, for good."""
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "2", "明天", "跳过", "安" * 30)
    assert wang.say("排" * 30).startswith("现在61字，最多60字")
    assert "写完了" in wang.labels
    assert wang.say("排" * 29).startswith("收到，已有60字")
    assert "请核对" in wang.say("完")


def test_a_sentence_that_begins_like_a_command_is_an_answer(forms: Forms) -> None:
    """“绑定…” ran the command and closed the question."""
    wang = forms.house.chat("王芳")
    fill(wang, "出差")
    assert "去几天" in wang.say("绑定码发放现场")
    assert "目前是：绑定码发放现场" in wang.say("上一步")


def test_a_command_in_between_does_not_lose_the_form(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差", "南京")
    assert "等您投的票" in wang.say("投票")
    assert wang.labels == ["继续填「外出报备」"]
    assert wang.say("3") == "您还有一份没填完的「外出报备」，要接着填吗？", "3 answers no question that is not there"
    assert wang.tap("继续") == "（3/6）去几天？请发一个数字。"
    assert "哪天动身" in wang.say("3")


def test_a_restart_loses_nothing(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差", "南京")
    forms.restart()
    assert "哪天动身" in wang.say("3")
    forms.restart()
    fill_rest(wang)
    forms.restart()
    assert wang.tap("提交") == "已报备：3天。"


def fill_rest(wang: Chat) -> None:
    for answer in ("后天", "跳过", PLANS, "完"):
        wang.say(answer)


def test_begun_on_telegram_and_finished_on_the_web_chat(forms: Forms) -> None:
    phone, browser = forms.house.chat("王芳"), forms.house.chat("王芳", "web")
    fill(phone, "出差", "南京")
    assert browser.say("您好") == "您还有一份没填完的「外出报备」，要接着填吗？"
    assert browser.labels == ["继续", "重新开始", "不理会"]
    assert browser.tap("继续") == "（3/6）去几天？请发一个数字。"
    browser.say("3")
    fill_rest(browser)
    assert browser.tap("提交") == "已报备：3天。"
    assert phone.say("3").startswith("没太明白")


def test_the_question_left_behind_on_the_phone_takes_no_answer(forms: Forms) -> None:
    """Two questions stood open: what was typed under the older became the answer to the newer."""
    phone, browser = forms.house.chat("王芳"), forms.house.chat("王芳", "web")
    fill(phone, "看病")
    browser.say("继续")
    browser.tap("继续")
    browser.say("3")
    browser.say("明天")
    assert phone.say("2").startswith("您还有一份没填完的"), "not the name of a stand-in"
    old = next(key for key in phone.heard[0].keys[1] if key.label == "看病")
    assert phone.press(old.payload or "").startswith("这个按钮已经过期了")
    assert browser.say("跳过").startswith("（5/5）请写下安排")


def test_starting_again_keeps_what_came_with_the_beginning(forms: Forms) -> None:
    phone, browser = forms.house.chat("王芳"), forms.house.chat("王芳", "web")
    assert phone.say("病假报备") == "（1/4）去几天？请发一个数字。"
    phone.say("4")
    browser.say("在吗")
    assert browser.tap("重新开始") == "（1/4）去几天？请发一个数字。"
    browser.say("5")
    fill_rest(browser)
    assert "· 事由：看病" in browser.text
    assert "改：事由" not in browser.labels


def test_leaving_it_keeps_it(forms: Forms) -> None:
    phone, browser = forms.house.chat("王芳"), forms.house.chat("王芳", "web")
    fill(phone, "出差", "南京")
    browser.say("您好")
    assert browser.tap("不理会").startswith("好的，「外出报备」先放着")
    assert phone.say("3").startswith("（4/6）"), "where it was begun it still stands open"


def test_a_form_has_a_lifetime(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差", "南京")
    forms.house.later(days=2)
    assert "哪天动身" in wang.say("3"), "each answer prolongs it"
    forms.house.later(days=3)
    assert wang.say("明天").startswith("之前没填完的内容放得太久")
    assert wang.say("明天").startswith("没太明白")


def test_the_clock_clears_away_what_expired(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差")
    forms.house.later(days=4)
    assert forms.house.tick() >= 1
    assert "为什么外出" in wang.say("外出报备")


def test_a_no_at_the_end_keeps_what_was_typed(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "31", "明天", "跳过", PLANS, "完")
    assert wang.tap("提交") == "外出31天超过了30天，请先找支部书记。"
    assert wang.labels == ["改：事由", "改：天数", "改：动身", "改：替班", "改：安排", "取消"]
    wang.tap("改：天数")
    assert "· 天数：30" in wang.say("30")
    assert wang.tap("提交") == "已报备：30天。"


def test_an_error_of_ours_at_the_end_keeps_what_was_typed(forms: Forms) -> None:
    def fail(_turn: object) -> None:
        raise ZeroDivisionError

    wang = forms.house.chat("王芳")
    to_review(wang)
    forms.before_submit = fail
    assert wang.tap("提交").startswith("抱歉，出错了")
    forms.before_submit = lambda _turn: None
    assert wang.say("提交") == "已报备：2天。"


def test_a_deploy_asks_its_new_question_of_a_form_in_the_middle(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差", "南京", "3")
    forms.restart(outing_with_train())
    assert wang.say("明天") == "（3/7）坐什么车？", "the answer went where it was asked for"
    assert wang.say("G7002") == "（6/7）谁替您值班？没有可以跳过。"


def test_a_deploy_asks_its_new_question_even_of_who_is_about_to_submit(forms: Forms) -> None:
    """提交 handed the form over with nothing where the new answer should be."""
    wang = forms.house.chat("王芳")
    to_review(wang)
    forms.restart(outing_with_train())
    assert "坐什么车" in wang.tap("提交")
    assert forms.taken == []
    wang.say("自驾")
    assert wang.tap("提交") == "已报备：2天。"
    assert vars(forms.taken[0][1])["train"] == "自驾"


def test_a_deploy_without_the_form_lets_go_of_it(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "出差")
    forms.restart(None)
    assert "已经清除了" in wang.say("南京")
    assert "绑定" in wang.say("帮助")


def test_buttons_of_an_older_draft_are_answered_and_do_nothing(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang)
    old = wang.key("看病").payload or ""
    wang.say("取消")
    forms.house.later(seconds=1)
    fill(wang)
    assert wang.press(old).startswith("这个按钮已经过期了")
    assert wang.say("出差") == "（2/6）去哪里？"


def test_a_draft_belongs_to_one_person(forms: Forms) -> None:
    wang, sun, zhou = forms.house.chat("王芳"), forms.house.chat("孙明"), forms.house.chat("周")
    fill(wang, "出差")
    cancel = wang.key("取消").payload or ""
    assert sun.press(cancel).startswith("这个按钮已经过期了")
    assert zhou.press(cancel).startswith("这个按钮已经过期了")
    assert sun.say("南京").startswith("没太明白")
    assert "南京" not in sun.say("外出报备")
    assert "去几天" in wang.say("南京")


def test_the_form_speaks_english_to_who_reads_english(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.language = "en-GB"
    assert wang.say("/outing") == "(1/5) Why are you going?"
    assert wang.say("to the doctor") == "(2/5) How many days?"
    assert wang.say("Back").endswith("At present: To the doctor")
    wang.tap("On business")
    for answer in ("Nanjing", "2", "Tomorrow", "skip", "By train, back on Thursday", "done"):
        wang.say(answer)
    assert "· Leaving: Wed 25 Nov 2026" in wang.text
    assert wang.tap("Submit") == "Reported: 2 days."


def test_skip_takes_what_is_suggested(forms: Forms) -> None:
    """A secretary who typed 跳过 where her own name was suggested was written down as “跳过”."""
    wang = forms.house.chat("王芳")
    assert fill(wang, "出差", "南京", "3", "跳过") == "（5/6）谁替您值班？没有可以跳过。"
    assert fill(wang, "重新开始", "看病", "3", "skip") == "（4/5）谁替您值班？没有可以跳过。"


def test_a_step_back_loses_nothing_of_what_was_sent(forms: Forms) -> None:
    """One tap on 上一步 threw away an application that had been written for days."""
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "2", "明天", "跳过", "坐高铁去，住两晚，")
    assert "谁替您值班" in wang.tap("上一步")
    assert "已经收到9字，接着发就行。" in wang.say("跳过")
    wang.say("周四回来。")
    assert "· 安排：坐高铁去，住两晚，\n周四回来。" in wang.say("完")
