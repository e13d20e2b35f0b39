"""channels: which of their chats a member is told in first, which work, and which there could be."""

from __future__ import annotations

from bot.core.action import Action, Code
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, Words, words
from bot.core.router import Run
from handlers import Answer, Item, Router, Turn
from storage import addresses, preferences
from storage.addresses import Bound

router = Router()


class First(Action, tag="kf", light=True):
    """Try this channel first from now on."""

    channel: Code


@router.command("/channels", "渠道", "我的渠道")
def channels(turn: Turn, _rest: str) -> Answer:
    """看看消息发到哪里，选最先用哪个渠道"""
    return _page(turn)


@router.pressed(First)
def first(turn: Turn, press: First) -> Answer:
    bound = {one.address.channel for one in addresses.of_person(turn.tx, turn.member.id)}
    if press.channel not in bound:
        raise Refused("channels.not_bound")
    before = preferences.order(turn.tx, turn.member.id)
    after = dict.fromkeys([str(press.channel), *before])
    preferences.put(turn.tx, turn.now, turn.member.id, list(after))
    page = _page(turn, words("channels.first", channel=_called(press.channel)))
    return Reply(page.words, page.buttons, replaces=True, grade=page.grade)


def sheet(turn: Turn) -> list[Item]:
    """The chats of somebody that have stopped working, for 我的."""
    button = Button(Phrase("渠道"), Run(Code("channels")))
    return [
        Item(words("channels.is_dead", channel=_called(one.address.channel)), button)
        for one in addresses.of_person(turn.tx, turn.member.id)
        if _state(turn, one) == "dead"
    ]


def _page(turn: Turn, done: Words | None = None) -> Reply:
    wanted = preferences.order(turn.tx, turn.member.id)
    bound = preferences.sort(addresses.of_person(turn.tx, turn.member.id), wanted)
    usable = list(dict.fromkeys(one.address.channel for one in bound if _state(turn, one) in ("", "here")))
    lines = [(_called(one.address.channel), _state(turn, one)) for one in bound]
    here = {one.address.channel for one in bound}
    more = [_called(name) for name in wanted if name in turn.tx.house.channels and name not in here]
    rows = [(Button(words("channels.use_first", channel=_called(name)), First(Code(name))),) for name in usable[1:]]
    said = words("channels.page", done=done, lines=lines, more=more, choice=len(usable) > 1)
    return Reply(said, (*rows, (Button(Phrase("解绑"), Run(Code("unbind"))),)), grade=Grade.PUBLIC)


def _state(turn: Turn, one: Bound) -> str:
    """`off` and `dead` take nothing; `here` is where this is asked."""
    if one.address.channel not in turn.tx.house.channels:
        return "off"
    if one.dead:
        return "dead"
    return "here" if one.address == turn.address else ""


def _called(channel: str) -> Words:
    return words(f"binding.channel_{channel}")
