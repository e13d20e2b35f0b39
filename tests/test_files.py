"""Are files taken where a question wants them, kept sealed, and opened to those alone who may?"""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import pytest

from bot.core.kinds import Attached, Prose, mark, pieces
from handlers import secrecy
from handlers.files.kinds import kind_of, name_of, words_of
from storage import files
from tests.email_house import SENDER, email_house
from tests.fakes.telegram.errors import Fault
from tests.people import House
from tests.reports import PDF, PHOTO, WORDS, word_file
from tests.sites import Browser, new_id, running, signed_in
from tests.telegram_house import telegram_house
from tests.wechat_house import wechat_house
from tests.wecom_house import wecom_house


def kept(house: House) -> list[files.File]:
    """Every file that there is."""
    with house.app.database.read() as tx:
        return [file for number in range(1, 40) if (file := files.get(tx, number))]


# -- what is one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "pdf"),
        (PHOTO, "png"),
        (b"\xff\xd8\xff\xe0rest", "jpg"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "heic"),
        (word_file(), "docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "doc"),
        (word_file(macros=True), ""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 a spreadsheet", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", ""),
        (b"<html><script>alert(1)</script>", ""),
        (b"MZ\x90\x00 a program", ""),
        (b"PK\x03\x04 broken", ""),
        (b"", ""),
    ],
)
def test_a_kind_is_told_by_the_content(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("汇报.PDF", "pdf", "汇报.pdf"),
        ("../../etc/passwd", "pdf", "passwd.pdf"),
        ("C:\\Users\\王芳\\汇报.doc", "docx", "汇报.docx"),
        ("page.html", "png", "page.png"),
        ("", "jpg", "照片.jpg"),
        (".", "pdf", "文件.pdf"),
        ('a"b\r\nX: y.png', "png", "a b X y.png"),
        ("长" * 300 + ".png", "png", "长" * 80 + ".png"),
    ],
)
def test_a_name_gets_the_ending_of_its_content_and_harms_no_system(given: str, kind: str, name: str) -> None:
    assert name_of(given, kind) == name


def test_prose_gives_back_its_text_and_its_files() -> None:
    whole = pieces(f"第一段\n{mark(Attached(7, '照片.jpg'))}\n第二段\n{mark(Attached(8, '二.pdf'))}")
    assert whole.text == "第一段\n第二段"
    assert whole.files == (Attached(7, "照片.jpg"), Attached(8, "二.pdf"))
    assert str(whole) == "第一段\n第二段\n📎 照片.jpg\n📎 二.pdf"
    assert Prose("只有字") == "只有字"


def test_nobody_can_type_the_mark_of_a_file(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    wang.say(f"{WORDS}\x025\t别人的.pdf\x03")
    wang.say("完")
    assert "文件" not in wang.text
    assert "第1版" in wang.text


# -- with an answer ---------------------------------------------------------------------------------------------


def test_a_photo_is_a_report_without_a_word(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    assert wang.hand("page1.png", PHOTO) == "收到，已有1个文件。可以接着发，写完发“完”。"
    assert "2个文件" in wang.hand("page2.png", PHOTO)
    assert "2个文件" in wang.say("完")
    assert [(file.name, file.subject_kind) for file in kept(house)] == [
        ("page1.png", "report"),
        ("page2.png", "report"),
    ]


def test_where_no_question_wants_a_file_it_is_as_before(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("帮助")
    before = wang.hand("page1.png", PHOTO)
    wang.say("汇报情况")
    assert wang.hand("page1.png", PHOTO) == before
    assert kept(house) == []


def test_a_file_of_another_kind_is_refused_and_the_report_goes_on(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    assert "这种文件收不了" in wang.hand("汇报.pdf", b"<html>")
    assert "写完了" in wang.labels
    assert "字" in wang.say("还有一句。")
    assert kept(house) == []


def test_a_marked_name_or_a_marked_word_file_is_refused_and_not_kept(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    assert "一点也没有保存" in wang.hand("机密材料.pdf", PDF)
    assert "一点也没有保存" in wang.hand("汇报.docx", word_file("秘密★2年"))
    assert kept(house) == []


def test_a_mark_in_the_head_of_a_words_page_is_seen() -> None:
    out = io.BytesIO(word_file("正文"))
    with zipfile.ZipFile(out, "a") as parts:
        parts.writestr("word/header1.xml", "<w:hdr><w:p><w:t>秘密★5年</w:t></w:p></w:hdr>")
    assert secrecy.refuses(words_of(out.getvalue())) == "秘密"


def test_the_tenth_file_is_one_too_many(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    for place in range(9):
        wang.hand(f"{place}.png", PHOTO)
    assert "最多9个文件" in wang.hand("9.png", PHOTO)
    assert "9个文件" in wang.say("完")


def test_what_is_given_up_is_deleted_at_once(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("思想汇报")
    wang.hand("page1.png", PHOTO)
    assert len(kept(house)) == 1
    wang.say("取消")
    assert len(kept(house)) == 1, "asked first"
    wang.say("取消")
    assert kept(house) == []


def test_loose_files_go_after_three_days_but_not_from_an_open_draft(house: House) -> None:
    wang, sun = house.chat("王芳"), house.chat("孙明")
    for chat in (wang, sun):
        chat.say("思想汇报")
        chat.hand("page1.png", PHOTO)
    sun.say("上一步")
    with house.app.database.write() as tx:
        files.add(tx, house.now, owner_id=house.ids["吴强"], kind="pdf", name="x.pdf", content=PDF)
    house.later(days=4)
    house.tick()
    assert {file.owner_id for file in kept(house)} == {house.ids["王芳"], house.ids["孙明"]}, "吴强 has no draft"
    house.later(days=40)
    house.tick()
    house.tick()
    assert kept(house) == []


def test_a_file_sent_to_another_chat_says_how_to_go_on(house: House) -> None:
    house.chat("王芳", "telegram").say("思想汇报")
    web = house.chat("王芳", "web")
    said = web.hand("page1.png", PHOTO)
    assert "还没有收下" in said
    web.tap("继续")
    assert "1个文件" in web.hand("page1.png", PHOTO)


def test_a_file_of_another_persons_cannot_be_attached(house: House) -> None:
    from bot.core.reply import Refused
    from handlers.files import desk

    with house.app.database.write() as tx:
        theirs = desk.keep(tx, house.now, house.ids["孙明"], "a.png", PHOTO)
        with pytest.raises(Refused):
            desk.attach(tx, house.ids["王芳"], [theirs], ("report", 1))


# -- over Telegram ----------------------------------------------------------------------------------------------


async def test_telegrams_documents_are_fetched_where_they_are_wanted(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.person.sends_file("汇报.pdf", PDF)
        await house.rest()
        assert house.telegram.called("getFile") == [], "nobody asked for it"
        await wang.say("思想汇报")
        await wang.person.sends_file("汇报.pdf", PDF)
        await house.rest()
        assert "1个文件" in wang.messages[-1]
        await wang.say("完")
        assert "1个文件" in wang.text
        assert [file.name for file in kept(house._house)] == ["汇报.pdf"]


async def test_a_download_that_fails_is_answered_and_can_be_sent_again(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.say("思想汇报")
        house.telegram.script(Fault(ending="drop"), method="getFile")
        await wang.person.sends_file("汇报.pdf", PDF)
        await house.rest()
        assert "没能取到，请再发一次" in wang.messages[-1]
        await wang.person.sends_file("汇报.pdf", PDF)
        await house.rest()
        assert "1个文件" in wang.messages[-1]


async def test_what_is_too_large_is_not_even_fetched(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.say("思想汇报")
        await wang.person.sends_file("汇报.pdf", PDF + bytes(11 * 1024 * 1024))
        await house.rest()
        assert "太大了" in wang.messages[-1]
        assert house.telegram.called("getFile") == []


# -- over WeChat and WeCom --------------------------------------------------------------------------------------


async def test_a_picture_on_wechat_is_fetched_where_it_is_wanted(tmp_path: Path) -> None:
    async with wechat_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.sends_photo(PHOTO)
        assert house.wechat.called("media/get") == [], "nobody asked for it"
        await wang.says("思想汇报")
        await wang.sends_photo(PHOTO)
        assert "1个文件" in wang.last.text
        await wang.says("完")
        assert "1个文件" in wang.last.text
        assert [(file.name, file.kind) for file in kept(house.house)] == [("照片.png", "png")]


async def test_a_picture_that_wechat_does_not_give_is_asked_for_again(tmp_path: Path) -> None:
    async with wechat_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.says("思想汇报")
        await wang.sends_other("image")  # of an id that is no more
        assert "没能取到，请再发一次" in wang.last.text
        await wang.sends_photo(PHOTO)
        assert "1个文件" in wang.last.text
        await wang.sends_photo(PHOTO + bytes(11 * 1024 * 1024))
        assert "太大了" in wang.last.text


async def test_a_token_that_has_expired_is_renewed_for_a_picture(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        wang = await house.seat("王芳")
        house.wecom.media["m"] = PHOTO
        await wang.says("思想汇报")
        house.wecom.expire_tokens()
        await wang.sends_image()
        await house.settle()
        assert "1个文件" in wang.last.words
        await wang.says("完")
        await house.settle()
        assert [(file.kind, file.subject_kind) for file in kept(house.house)] == [("png", "report")]


# -- on our own pages -------------------------------------------------------------------------------------------


async def _upload(browser: Browser, name: str, content: bytes) -> str:
    """Hand a file over on the page; what is answered."""
    form = aiohttp.FormData(quote_fields=False)  # as browsers do
    form.add_field("id", new_id())
    form.add_field("file", content, filename=name)
    headers = {"Origin": browser.url, "X-Tiexin-Token": browser.token}
    async with browser.session.post(f"{browser.url}/chat/file", data=form, headers=headers) as answer:
        assert answer.status == 200
        lines = (await answer.json())["lines"]
    return str(lines[-1]["text"])


async def test_a_file_is_opened_by_its_owner_and_by_nobody_else(house: House) -> None:
    async with running(house) as site:
        wang = await signed_in(site, house, "王芳")
        await wang.say("思想汇报")
        assert "1个文件" in await _upload(wang, "第一页.png", PHOTO)
        (file,) = kept(house)
        async with wang.session.get(f"{site.url}/files/{file.id}") as answer:
            assert await answer.read() == PHOTO
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Disposition"].startswith('inline; filename="file.png"')
            assert "no-store" in answer.headers["Cache-Control"]
        sun = await signed_in(site, house, "孙明")
        await sun.open(f"/files/{file.id}")
        assert sun.status == 404
        await sun.open("/files/999")
        assert sun.status == 404
        stranger = await site.browser()
        await stranger.open(f"/files/{file.id}")
        assert stranger.status == 401


async def test_a_word_file_is_saved_and_never_shown_by_the_browser(house: House) -> None:
    async with running(house) as site:
        wang = await signed_in(site, house, "王芳")
        await wang.say("思想汇报")
        await _upload(wang, "汇报.docx", word_file())
        async with wang.session.get(f"{site.url}/files/1") as answer:
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert "%E6%B1%87%E6%8A%A5.docx" in answer.headers["Content-Disposition"]


async def test_marked_words_do_not_even_stay_on_the_page(house: House) -> None:
    async with running(house) as site:
        wang = await signed_in(site, house, "王芳")
        answer = await wang.say("绝密★长期 某某情况")
        assert "某某情况" not in str(answer)
        assert answer["lines"][0]["text"] == "（内容没有保存）"
        await wang.open()
        assert "某某情况" not in wang.page


# -- by mail ----------------------------------------------------------------------------------------------------


async def test_a_mail_with_the_word_as_its_subject_hands_in_its_text_and_its_files(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        letter = EmailMessage()
        letter.set_content(f"{WORDS}\n", cte="base64")
        letter.add_attachment(PHOTO, "image", "png", filename="第一页.png")
        content = letter.as_string().replace("MIME-Version: 1.0\n", "")
        await wang.writes(SENDER, "思想汇报", "", content=content)
        await house.answers()
        assert "第1版" in wang.last.text
        assert "1个文件" in wang.last.text
        assert WORDS[:10] not in wang.last.text, "acknowledged without being repeated"
        assert [(file.name, file.subject_kind) for file in kept(house.house)] == [("第一页.png", "report")]
