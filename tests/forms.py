"""Which form do the tests fill in? 外出报备: a choice, a line that only some are asked for, a number, a day, a name
that may be left out, and prose in pieces. It is declared as a capability declares its own, with words of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bot.app import App, capabilities
from bot.core.action import Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Phrase, Refused, Reply, words
from bot.core.router import Begin
from bot.reception import Reception
from bot.render import TEMPLATES, Renderer
from handlers import Answer, Capability, Router, Turn
from storage.database import Database
from tests.people import Chat, House, build_house

ENGLISH = {
    "外出报备": "Report an outing", "去外地前报备一下": "report an outing", "病假报备": "Report sick",
    "生病时报备一下": "report sick", "为什么外出？": "Why are you going?", "事由": "Reason", "出差": "On business",
    "看病": "To the doctor", "去哪里？": "Where to?", "去向": "Place", "去几天？请发一个数字。": "How many days?",
    "天数": "Days", "哪天动身？": "When do you leave?", "动身": "Leaving",
    "谁替您值班？没有可以跳过。": "Who stands in for you?", "替班": "Stand-in",
    "请写下安排，可以分几条发，写完发“完”。": "Describe your plans.", "安排": "Plans", "坐什么车？": "By what train?",
    "车次": "Train",
}  # fmt: skip
CHINESE_WORDS = """
{% block taken %}已报备：{{ days }}天。{% endblock %}
{% block too_long %}外出{{ days }}天超过了30天，请先找支部书记。{% endblock %}
{% block preview %}支部书记会看到这份报备。{% endblock %}
"""
ENGLISH_WORDS = """
{% block taken %}Reported: {{ days }} days.{% endblock %}
{% block too_long %}{{ days }} days are more than 30; please see your branch secretary first.{% endblock %}
{% block preview %}Your branch secretary will see this.{% endblock %}
"""


def reasons(_turn: Turn) -> list[Choice]:
    return [Choice(Code("trip"), Phrase("出差")), Choice(Code("ill"), Phrase("看病"))]


def trip(answers: object) -> bool:
    return isinstance(answers, dict) and answers.get("reason") == "trip"


def today(turn: Turn) -> str:
    return turn.now.astimezone(turn.zone).date().isoformat()


class Outing(Form):
    """外出报备"""

    reason: Pick = ask("为什么外出？", title="事由", choices=reasons)
    place: str = ask("去哪里？", title="去向", min_length=2, max_length=20, when=trip)
    days: int = ask("去几天？请发一个数字。", title="天数")
    leaves: date = ask("哪天动身？", title="动身", default=today)
    cover: str | None = ask("谁替您值班？没有可以跳过。", title="替班", optional=True)
    plans: Prose = ask(
        "请写下安排，可以分几条发，写完发“完”。", title="安排", min_length=10, max_length=60
    )  # fmt: skip


def outing_with_train() -> type[Form]:
    """The same form as it is after a deploy: one question more, in the middle."""

    class Outing(Form):
        """外出报备"""

        reason: Pick = ask("为什么外出？", title="事由", choices=reasons)
        place: str = ask("去哪里？", title="去向", min_length=2, max_length=20, when=trip)
        train: str = ask("坐什么车？", title="车次")
        days: int = ask("去几天？请发一个数字。", title="天数")
        leaves: date = ask("哪天动身？", title="动身", default=today)
        cover: str | None = ask("谁替您值班？没有可以跳过。", title="替班", optional=True)
        plans: Prose = ask(
            "请写下安排，可以分几条发，写完发“完”。", title="安排", min_length=10, max_length=60
        )  # fmt: skip

    return Outing


@dataclass
class Forms:
    """A house with the form in it. What was handed in stands in `taken`: (name of the person, the filled form)."""

    house: House
    renderer: Renderer
    taken: list[tuple[str, Form]] = field(default_factory=list)
    before_submit: Callable[[Turn], None] = lambda _turn: None

    def restart(self, form: type[Form] | None = Outing) -> None:
        """A new process on the same database; perhaps with another version of the form, or without it."""
        app = self.house.app
        database = Database(app.config.database.url, app.house)
        app.database.close()
        extra = [self._capability(form)] if form else []
        self.house.app = App(app.config, database, Reception([*capabilities(), *extra], self.renderer), app.clock)

    def _capability(self, form: type[Form]) -> Capability:
        router = Router()

        @router.command("/outing", "外出报备")
        def outing(_turn: Turn, _rest: str) -> Answer:
            """去外地前报备一下"""
            return Begin(form)

        @router.command("/sick", "病假报备")
        def sick(_turn: Turn, _rest: str) -> Answer:
            """生病时报备一下"""
            return Begin(form, {"reason": "ill"})

        def preview(_turn: Turn, _filled: Form) -> Reply:
            return Reply(words("outing.preview"))

        @router.form(form, preview=preview)
        def take(turn: Turn, filled: Form) -> Answer:
            days = filled.__dict__["days"]
            if days > 30:
                raise Refused("outing.too_long", days=days)
            self.before_submit(turn)
            self.taken.append((turn.member.name, filled))
            return Reply(words("outing.taken", days=days))

        return Capability(router)


@cache
def speaking(zone: ZoneInfo) -> Renderer:
    """The house's words in both languages, and those of the form. Compiled once: it takes longer than most tests."""
    with TemporaryDirectory() as folder:
        templates = Path(folder) / "templates"
        shutil.copytree(TEMPLATES, templates)
        room = templates / "outing"
        room.mkdir()
        (room / "zh.j2").write_text(CHINESE_WORDS, encoding="utf-8")
        (room / "en.j2").write_text(ENGLISH_WORDS, encoding="utf-8")
        catalogue = templates / "locale" / "en.po"
        known = catalogue.read_text(encoding="utf-8")
        new = [f'\nmsgid "{zh}"\nmsgstr "{en}"\n' for zh, en in ENGLISH.items() if f'msgid "{zh}"\n' not in known]
        catalogue.write_text(known + "".join(new), encoding="utf-8")
        return Renderer(zone, templates)


def build_forms(folder: Path) -> Forms:
    """A house with the form in it, and the words for it in both languages."""
    house = build_house(folder)
    forms = Forms(house, speaking(house.app.house.zone))
    forms.restart()
    return forms


def fill(chat: Chat, *answers: str) -> str:
    """Begin the form and give these answers."""
    chat.say("外出报备")
    for answer in answers:
        chat.say(answer)
    return chat.text
