"""home: 帮助, 我的, 工作台, 语言, and a greeting for whoever comes by again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.action import Action, Code
from bot.core.conversation import manners
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Run
from handlers import Answer, Capability, Router, Turn
from handlers.binding import chat as binding
from handlers.rights import today
from storage import addresses, offices, organisations, people, preferences


class Language(Action, tag="l", light=True):
    """The language to be answered in."""

    code: Code


def home_router(others: Sequence[Capability]) -> Router:
    """The commands that look at every capability."""
    router = Router()

    def has_desk(turn: Turn) -> bool:
        return turn.sender is not None and any(c.desk and c.desk(turn) for c in others)

    @router.command("/help", "帮助", "菜单", "help", strangers=True)
    def help_(turn: Turn, _rest: str) -> Answer:
        """看看我能做什么"""
        shown = [
            (Phrase(command.words[0]), command.name, command.line)
            for source in (*(c.router for c in others), router, manners())
            for command in source.commands.values()
            if (turn.sender or command.strangers) and command.shown(turn) and command.name != "start"
        ]
        first = [name for name in ("me", "vote", "dues", "notices", "desk") if any(s[1] == name for s in shown)]
        names = {name: phrase for phrase, name, _ in shown}
        buttons = [Button(names[Code(name)], Run(Code(name))) for name in first]
        rows = tuple(tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))
        said = words("home.help", commands=shown, stranger=turn.sender is None)
        return Reply(said, rows, grade=Grade.PUBLIC)

    @router.command("/start", "绑定", rest=True, strangers=True)
    def start(turn: Turn, rest: str) -> Answer:
        """用绑定码把这个聊天绑定到您本人"""
        if turn.sender is None or rest:
            return binding.start(turn, rest)
        # Following, scanning and the menu say the same as the word: a member who does it again is only coming by.
        items = [item for c in others if c.sheet for item in c.sheet(turn)]
        shown = items if Grade.PERSONAL in turn.grades else []
        said = words(
            "home.greeting", name=turn.sender.name, items=[item.words for item in shown], count=len(items)
        )  # fmt: skip
        buttons = [item.button for item in shown if item.button]
        rows = (*_rows(buttons), (Button(Phrase("我的"), Run(Code("me"))), Button(Phrase("帮助"), Run(Code("help")))))
        return Reply(said, rows, grade=Grade.PERSONAL if shown else Grade.PUBLIC)

    @router.command("/me", "我的", "我的信息")
    def me(turn: Turn, _rest: str) -> Answer:
        """我的支部、职务、绑定的聊天，和等我办的事"""
        tx, person = turn.tx, people.get(turn.tx, turn.member.id)
        held = offices.of_person(tx, person.id, today(tx, turn.now))
        items = [item for c in others if c.sheet for item in c.sheet(turn)]
        bound = preferences.sort(addresses.of_person(tx, person.id), preferences.order(tx, person.id))
        card = words(
            "home.me",
            name=person.name,
            number=person.number,
            kind=person.kind,
            org=organisations.path_name(tx, organisations.get(tx, person.organisation_id)),
            offices=[(office.role, office.org.name) for office in held],
            channels=[words(f"binding.channel_{one.address.channel}") for one in bound],
            items=[item.words for item in items],
        )
        buttons = [item.button for item in items if item.button]
        if len(bound) > 1:
            buttons.append(Button(Phrase("渠道"), Run(Code("channels"))))
        return Reply(card, _rows(buttons), grade=Grade.PERSONAL)

    @router.command("/desk", "工作台", shown=has_desk)
    def desk(turn: Turn, _rest: str) -> Answer:
        """支部书记等工作人员的日常：谁还没回应、发通知、发起投票、名册"""
        items = [item for c in others if c.desk for item in c.desk(turn)]
        if not items:
            raise Refused("home.no_desk")
        held = offices.of_person(turn.tx, turn.member.id, today(turn.tx, turn.now))
        places = [(office.role, office.org.name) for office in held]
        said = words("home.desk", offices=places, items=[item.words for item in items])
        return Reply(said, _rows(item.button for item in items if item.button), grade=Grade.PERSONAL)

    @router.command("/lang", "语言", "language")
    def lang(turn: Turn, _rest: str) -> Answer:
        """选择中文或英文"""
        row = (Button("中文", Language(Code("zh"))), Button("English", Language(Code("en"))))
        return Reply(words("home.language"), (row,), grade=Grade.PUBLIC)

    @router.pressed(Language)
    def language(turn: Turn, press: Language) -> Answer:
        if press.code not in ("zh", "en"):
            raise Refused("conversation.stale")
        people.change(turn.tx, turn.member.id, language=str(press.code))
        turn.language = str(press.code)
        return Reply(words("home.language_set"), replaces=True, grade=Grade.PUBLIC)

    return router


def _rows(all_: Iterable[Button]) -> tuple[tuple[Button, ...], ...]:
    """Buttons, each once, two in a row."""
    buttons = list(dict.fromkeys(all_))
    return tuple(tuple(buttons[i : i + 2]) for i in range(0, len(buttons), 2))
