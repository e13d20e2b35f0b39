"""binding: show a code, consent, and let go of an address."""

from __future__ import annotations

from bot.core.action import Action, Code
from bot.core.reply import Button, Grade, Phrase, Reply, Words, words
from bot.core.router import Run
from handlers import Answer, Router, Turn, actor
from handlers.binding import desk
from handlers.binding.codes import LENGTH, read_code
from storage import addresses, people

router = Router()


class Consent(Action, tag="bc"):
    """Yes or no to being bound here."""

    yes: bool


class Release(Action, tag="br"):
    """Let one address go; asked once more unless `sure`."""

    binding: int
    sure: bool


def start(turn: Turn, rest: str) -> Answer:
    """绑定, of a stranger; or with a code that is shown where somebody is bound already."""
    if turn.sender is not None:
        return Reply(
            words("binding.bound_already", name=turn.sender.name),
            ((Button(Phrase("帮助"), Run(Code("help"))),),),
            grade=Grade.PUBLIC,
        )
    return _try(turn, rest) if rest else _welcome(turn)


@router.stranger_says
def stranger(turn: Turn, text: str) -> Answer:
    """Whatever a stranger says may be a code; if it does not look like one, explain where to get it."""
    letters = sum(c.isascii() and c.isalnum() for c in text)
    if read_code(text) or (letters and LENGTH - 2 <= letters <= LENGTH + 2 and any(c.isdigit() for c in text)):
        return _try(turn, text)
    return _welcome(turn)


def _welcome(turn: Turn) -> Answer:
    """Where to get a code; or, where the channel says who this is, the question that a code would lead to."""
    if person := desk.vouched(turn.tx, turn.address):
        return _ask(turn, words("binding.vouched", person=person))
    return Reply(words("binding.welcome", house=turn.tx.house.name))


def _try(turn: Turn, text: str) -> Answer:
    if not desk.show_code(turn.tx, turn.now, turn.address, read_code(text)):
        return Reply(words("binding.wrong_code"))
    return _ask(turn, words("binding.code_is_good"))


def _ask(turn: Turn, known: Words) -> Reply:
    """The question that stands before every binding. `known`: how we know who this is."""
    row = (
        Button(words("binding.agree"), Consent(yes=True)),
        Button(words("binding.disagree"), Consent(yes=False)),
    )
    where = words(f"binding.where_{turn.address.channel}")
    return Reply(words("binding.consent", known=known, where=where, version=desk.CONSENT), (row,))


@router.pressed(Consent, strangers=True)
def consent(turn: Turn, press: Consent) -> Answer:
    if turn.sender is not None:
        return Reply(words("binding.bound_already", name=turn.sender.name), grade=Grade.PUBLIC)
    if not press.yes:
        desk.decline(turn.tx, turn.address)
        return Reply(words("binding.declined", code=desk.vouched(turn.tx, turn.address) is None), replaces=True)
    person = desk.consent(turn.tx, turn.now, turn.address)
    if not person.language:  # what their phone speaks; 语言 changes it
        people.change(turn.tx, person.id, language=turn.language)
    rows = ((Button(Phrase("我的"), Run(Code("me"))), Button(Phrase("帮助"), Run(Code("help")))),)
    return Reply(words("binding.done", name=person.name), rows, replaces=True)


@router.command("/unbind", "解绑")
def unbind(turn: Turn, _rest: str) -> Answer:
    """解除某个聊天与您的绑定，例如手机丢了"""
    bound = addresses.of_person(turn.tx, turn.member.id)
    lines = [(words(f"binding.channel_{b.address.channel}"), b.bound_at, b.address == turn.address) for b in bound]
    rows = tuple(
        (Button(words("binding.release", place=place, channel=line[0]), Release(b.id, sure=False)),)
        for place, (b, line) in enumerate(zip(bound, lines, strict=True), 1)
    )
    return Reply(words("binding.addresses", lines=lines), rows, grade=Grade.PUBLIC)


@router.pressed(Release)
def release(turn: Turn, press: Release) -> Answer:
    bound = next((b for b in addresses.of_person(turn.tx, turn.member.id) if b.id == press.binding), None)
    if bound is None:
        return Reply(words("binding.released_already"), grade=Grade.PUBLIC)
    channel = words(f"binding.channel_{bound.address.channel}")
    here = bound.address == turn.address
    if not press.sure:
        rows = (
            (Button(words("binding.release_sure"), Release(bound.id, sure=True)),),
            (Button(words("binding.release_not"), Run(Code("me"))),),
        )
        return Reply(words("binding.release_ask", channel=channel, here=here), rows, grade=Grade.PUBLIC)
    desk.release(turn.tx, turn.now, actor(turn), bound)
    return Reply(words("binding.released", channel=channel, here=here), replaces=True, grade=Grade.PUBLIC)
