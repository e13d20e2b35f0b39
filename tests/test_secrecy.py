"""What bears a mark of secrecy, and what only speaks of secrets?"""

from __future__ import annotations

import pytest

from bot.core.reply import Refused
from handlers import secrecy
from tests.people import House


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("机密★10年\n关于某事的通知", "机密"),
        ("绝密 ★", "绝密"),
        ("秘密★1年", "秘密"),
        ("密级：内部", "内部"),
        ("密 级: 机密", "机密"),
        ("【秘密】某某情况", "秘密"),
        ("（内部资料，注意保存）", "内部资料"),
        ("关于开会的通知\n内部\n各支部：", "内部"),
        ("机 密\n关于某事", "机密"),
        ("内部文件 不得外传", "内部文件"),
    ],
)
def test_a_mark_is_found_as_documents_bear_it(text: str, mark: str) -> None:
    assert secrecy.refuses(text) == mark


@pytest.mark.parametrize(
    "text",
    [
        "我宣誓：保守党的秘密，对党忠诚。",
        "保守国家秘密是每个公民的义务。",
        "学习了党内部的几个规定，加强内部团结。",
        "本公司商业秘密管理办法的学习体会",
        "机密性要求的数据库课程",
        "这是我们内部讨论的意见。",
        "明天下午两点开会",
    ],
)
def test_to_speak_of_secrets_is_no_mark(text: str) -> None:
    assert secrecy.refuses(text) == ""


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("机密文件.pdf", "机密"),
        ("【内部】通知.docx", "内部"),
        ("某某会议内部资料.pdf", "内部资料"),
        ("秘密-某某情况.doc", "秘密"),
        ("保守秘密学习心得.docx", ""),
        ("商业秘密培训.pdf", ""),
        ("11月思想汇报.jpg", ""),
        ("公司内部控制培训.pdf", ""),
    ],
)
def test_a_file_is_judged_by_its_name_as_well(name: str, mark: str) -> None:
    assert secrecy.refuses("", name) == mark


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("根据中组发〔2008〕3号文件", "中组发〔2008〕3号"),
        ("请认真学习厅字〔2024〕10号。", "厅字〔2024〕10号"),
        ("按中组发〔2008〕3号办", "中组发〔2008〕3号"),
        ("和平区委发〔2026〕1号", "和平区委发〔2026〕1号"),
        ("海川党字[2026]第 12 号", "海川党字[2026]第12号"),
        ("2026年第3号楼", ""),
        ("会议室301号", ""),
    ],
)
def test_the_number_of_a_document_is_asked_about_only(text: str, number: str) -> None:
    assert secrecy.asks(text) == number
    assert secrecy.refuses(text) == ""


def test_marked_words_in_a_chat_are_refused_with_the_law_and_what_to_do(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    said = wang.say("机密★5年\n某某情况")
    assert "“机密”" in said
    assert "一点也没有保存" in said
    assert "第二十九条" in said
    assert "机密" not in wang.say("完"), "nothing of it stands in the draft"


def test_the_refusal_says_that_nothing_is_to_be_kept() -> None:
    with pytest.raises(Refused) as no:
        secrecy.check("【绝密】")
    assert no.value.forgets
