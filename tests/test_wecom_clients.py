"""Do others read what we write to WeCom, and do we read what they write?

@wecom/crypto is the platform's own library for Node; wechatpy is another in Python. Both are asked about our
callback and about the fake, which share no line.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.adapters.tencent_callback import Callback, Forged
from tests.fakes.wecom import AES_KEY, CORP_ID, TOKEN, Envelope
from tests.node import ask
from tests.people import NOW

MESSAGE = (
    "<xml><FromUserName><![CDATA[1001]]></FromUserName><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[同意]]></Content><MsgId>CAIQg/PKxgYY==</MsgId></xml>"
)
TIME, NONCE = str(int(NOW.timestamp())), "1597212914"
KEYS = {"token": TOKEN, "key": AES_KEY, "receiver": CORP_ID, "timestamp": TIME, "nonce": NONCE}


async def asked(**question: Any) -> dict[str, str]:
    answer: dict[str, str] = await ask("wecom_crypto.js", {**KEYS, **question})
    return answer


def callback() -> Callback:
    return Callback(TOKEN, AES_KEY, CORP_ID)


def signed(signature: str) -> dict[str, str]:
    return {"msg_signature": signature, "timestamp": TIME, "nonce": NONCE}


async def test_we_read_what_the_platforms_own_library_seals() -> None:
    sealed = await asked(do="seal", message=MESSAGE)
    body = f"<xml><ToUserName>{CORP_ID}</ToUserName><Encrypt><![CDATA[{sealed['sealed']}]]></Encrypt></xml>"
    push = callback().open(signed(sealed["signature"]), body.encode(), NOW)
    assert (push.text("Content"), push.text("MsgId")) == ("同意", "CAIQg/PKxgYY==")
    with pytest.raises(Forged):
        Callback(TOKEN, AES_KEY, "ww0000").open(signed(sealed["signature"]), body.encode(), NOW)


async def test_we_show_the_text_that_it_seals_for_the_check_of_our_address() -> None:
    sealed = await asked(do="seal", message="1616140317555161061")
    query = {**signed(sealed["signature"]), "echostr": sealed["sealed"]}
    assert callback().echo(query, NOW) == "1616140317555161061"
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
    shown = crypto.check_signature(sealed["signature"], TIME, NONCE, sealed["sealed"])
    assert shown in ("1616140317555161061", b"1616140317555161061")


async def test_it_reads_what_we_answer() -> None:
    answer = callback().write(MESSAGE, NOW)
    parts = {
        name: answer.split(f"<{name}>")[1].split(f"</{name}>")[0].removeprefix("<![CDATA[").removesuffix("]]>")
        for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
    }
    opened = await ask(
        "wecom_crypto.js",
        {**KEYS, "do": "open", "sealed": parts["Encrypt"], "timestamp": parts["TimeStamp"], "nonce": parts["Nonce"]},
    )
    assert opened == {"message": MESSAGE, "receiver": CORP_ID, "signature": parts["MsgSignature"]}


async def test_it_takes_the_fake_for_the_platform() -> None:
    fake = Envelope(TOKEN, AES_KEY, CORP_ID)
    sealed = fake.seal(MESSAGE, random.Random(3))
    opened = await asked(do="open", sealed=sealed)
    assert opened == {"message": MESSAGE, "receiver": CORP_ID, "signature": fake.sign(TIME, NONCE, sealed)}
    theirs = await asked(do="seal", message=MESSAGE)
    assert fake.open(theirs["sealed"]) == MESSAGE
