"""When a hundred people sit the same examination at once, is every score what it has to be?

Through the webhook of a server that is killed in the middle, with every update delivered up to three times, some of
the people going on in the web chat. What each answer is worth is reckoned here by its words, not by the program.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp

from bot.core.action import Action
from bot.core.event import Address
from handlers.quizzes.asking import Match, Pick, Settle
from handlers.quizzes.chat import Go, HandIn, Sit
from handlers.quizzes.paper import Slot
from handlers.quizzes.rules import Matching, MultipleChoice, SingleChoice
from storage import addresses, campaigns, quizzes
from storage import people as storage_people
from storage.quizzes import Exam
from tests.people import House, build_house
from tests.quizzes import open_exam, slots
from tests.running import Running, free_port
from tests.sites import Browser, bind, link, new_id

PEOPLE, SWITCH, LEFT_OPEN = 100, 10, 40
DELIVERIES = (1, 1, 2, 3)
KILL_AFTER = 350
"""Acknowledged acts, of about a thousand, before the server is killed."""
SECRET = "storm-test"

# By the words of a question's beginning: what may be answered, and what that is worth.
WORTH: dict[str, dict[tuple[str, ...] | str, Fraction]] = {
    "支部党员大会": {"每季度": Fraction(1), "每周": Fraction(0), "每年": Fraction(0)},
    "下面哪些": {
        ("党课", "党小组会"): Fraction(1), ("党课",): Fraction(1, 2), ("党课", "茶话会"): Fraction(0),
        ("党课", "党小组会", "联欢会"): Fraction(1, 2), ("茶话会",): Fraction(0),
    },
    "预备党员有": {"错": Fraction(1), "对": Fraction(0)},
    "每月固定": {"主题党日": Fraction(1), "“主题党日”": Fraction(1), "党日": Fraction(1, 2), "不知道": Fraction(0)},
    "预备期": {"12": Fraction(1), "１２": Fraction(1), "十二": Fraction(1), "24": Fraction(0)},
    "请一一配对": {
        ("五年", "三年"): Fraction(1), ("三年", "三年"): Fraction(1, 2), ("三年", "五年"): Fraction(0),
    },
}  # fmt: skip


def words_of(one: Slot) -> list[str]:
    """What can be chosen, by its place in the question."""
    if isinstance(one.question, SingleChoice | MultipleChoice):
        return [option.text.text for option in one.question.options]
    return list(one.question.choices) if isinstance(one.question, Matching) else []


def about(one: Slot) -> dict[tuple[str, ...] | str, Fraction]:
    (found,) = [worth for words, worth in WORTH.items() if one.question.text.text.startswith(words)]
    return found


@dataclass
class Candidate:
    """Somebody with a phone."""

    name: str
    user: int
    shown: tuple[Slot, ...]
    paper: int = 0
    stands: dict[int, tuple[str, ...] | str] = field(default_factory=dict)
    """What was acknowledged last for each question, by where it is shown."""

    @property
    def score(self) -> Fraction:
        return sum((about(self.shown[at])[words] for at, words in self.stands.items()), Fraction(0))

    def acts(self, one: Slot, answer: tuple[str, ...] | str, chance: random.Random) -> Iterator[Action | str]:
        """How an answer is given: by taps, or typed where its question stands."""
        places = {words: one.shown.index(place) for place, words in enumerate(words_of(one))}
        if isinstance(answer, str) and answer in ("对", "错") and chance.random() < 0.5:
            yield Pick(self.paper, one.at, int(answer == "对"))
        elif answer in places and chance.random() < 0.5:
            yield Pick(self.paper, one.at, places[str(answer)])
        elif one.several and one.at not in self.stands and chance.random() < 0.5:
            yield from (Pick(self.paper, one.at, places[each]) for each in answer)
            yield Settle(self.paper, one.at)
        elif isinstance(one.question, Matching) and chance.random() < 0.5:
            yield from (Match(self.paper, one.at, stem, places[each]) for stem, each in enumerate(answer))
        else:
            yield Go(self.paper, one.at)
            yield self.typed(one, answer)

    @staticmethod
    def typed(one: Slot, answer: tuple[str, ...] | str) -> str:
        """An answer as somebody types it who sees the letters as they are shown to them."""
        if isinstance(answer, str):
            return answer
        letters = [chr(ord("A") + one.shown.index(words_of(one).index(each))) for each in answer]
        if isinstance(one.question, Matching):
            return " ".join(f"{stem}-{letter}" for stem, letter in enumerate(letters, 1))
        return "、".join(letters)


class Telegram:
    """Delivers updates as Telegram does: until they are acknowledged, and some of them again."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self._url, self._chance, self._numbers = f"{url}/telegram/webhook", chance, itertools.count(1)
        self.acknowledged, self.failed, self.busy = 0, 0, asyncio.Event()

    async def deliver(self, session: aiohttp.ClientSession, user: int, act: Action | str) -> None:
        """One act of somebody's; returns when it is acknowledged."""
        number = next(self._numbers)
        who = {"id": user, "is_bot": False, "first_name": "x", "language_code": "zh"}
        if isinstance(act, str):
            chat = {"id": user, "type": "private"}
            body: dict[str, Any] = {
                "message": {"message_id": number, "date": 1, "chat": chat, "from": who, "text": act}
            }
        else:
            body = {"callback_query": {"id": str(number), "from": who, "chat_instance": "1", "data": act.encode()}}
        times = self._chance.choice(DELIVERIES)
        await asyncio.gather(*(self._until_taken(session, {"update_id": number, **body}) for _ in range(times)))
        self.acknowledged += 1
        if self.acknowledged >= PEOPLE + KILL_AFTER:
            self.busy.set()

    async def _until_taken(self, session: aiohttp.ClientSession, body: dict[str, Any]) -> None:
        while True:
            try:
                async with session.post(self._url, json=body) as response:
                    await response.read()
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            self.failed += 1
            await asyncio.sleep(0.05)


def furnish(folder: Path, port: int) -> tuple[House, Path, Exam, list[Candidate]]:
    """A house of a hundred people on Telegram with an open examination, and the configuration that serves it."""
    config = folder / "config.toml"
    config.write_text(
        f'[server]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n'
        f'[database]\nurl = "sqlite:///{folder}/tiexin.db"\n[security]\nkey_file = "{folder}/key"\n'
        f'[telegram]\ntoken = "1:storm"\nwebhook_secret = "{SECRET}"\napi_base = "http://127.0.0.1:9"\n',
        encoding="utf-8",
    )
    house = build_house(folder)
    house.app = replace(house.app, clock=lambda: datetime.now(UTC))
    house.now = datetime.now(UTC)
    with house.app.database.write() as tx:
        its = {"kind": "正式党员", "organisation_id": house.orgs["第一支部"].id}
        names = [f"同志{number}" for number in range(PEOPLE)]
        rows = [{"number": f"9{number:03}", "name": name, **its} for number, name in enumerate(names)]
        house.ids |= dict(zip(names, storage_people.add_many(tx, house.now, rows), strict=True))
        for number in range(PEOPLE):
            at = Address("telegram", str(5000 + number))
            addresses.bind(tx, house.ids[f"同志{number}"], at, house.now, consent="test")
    exam = open_exam(house)
    with house.app.database.write() as tx:  # how it is announced is tried elsewhere
        campaigns.cancel(tx, house.now, campaigns.about(tx, "quiz", exam.id)[0].id)
    people = [Candidate(f"同志{n}", 5000 + n, slots(house, exam, f"同志{n}")) for n in range(PEOPLE)]
    return house, config, exam, people


async def write(telegram: Telegram, session: aiohttp.ClientSession, who: Candidate, chance: random.Random) -> None:
    """Answer everything but the last question in some order, and change one's mind about some of it."""
    order = [one for one in who.shown[:-1] for _ in range(chance.choice((1, 1, 1, 2)))]
    chance.shuffle(order)
    for one in order:
        answer = chance.choice(list(about(one)))
        for act in who.acts(one, answer, chance):
            await telegram.deliver(session, who.user, act)
        who.stands[one.at] = answer


async def go_on_in_the_web_chat(house: House, url: str, who: Candidate, chance: random.Random) -> None:
    """Sign in by a link, and type the answer to the question that is left."""
    one = who.shown[-1]
    answer = chance.choice(list(about(one)))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        browser = Browser(url, session)
        await browser.enter(await asyncio.to_thread(link, house, who.name, new_id()))
        lines = (await browser.say("我要考试"))["lines"]
        lines = (await browser.tap(lines[-1], "党务小测"))["lines"]
        shown = (await browser.tap(lines[-1], "继续答题"))["lines"][-1]
        assert f"第{one.at + 1}/6题" in shown["text"], "what was answered on Telegram is answered here"
        await browser.say(who.typed(one, answer))
    who.stands[one.at] = answer


async def test_a_hundred_people_sit_it_at_once_and_each_score_is_right(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    port = free_port()
    house, config, exam, people = await asyncio.to_thread(furnish, tmp_path, port)
    server = Running(config, port)
    await server.start()
    telegram = Telegram(server.url, chance)

    async def kill() -> None:
        await telegram.busy.wait()
        server.kill()
        await asyncio.sleep(0.2)
        await server.start()

    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=60)) as session:
        await asyncio.gather(*(telegram.deliver(session, who.user, Sit(exam.id)) for who in people))
        with house.app.database.read() as tx:
            for who in people:
                begun = quizzes.of_person(tx, exam.id, house.ids[who.name])
                assert begun is not None
                who.paper = begun.id
        killing = asyncio.create_task(kill())
        await asyncio.gather(*(write(telegram, session, who, chance) for who in people))
        await killing
        assert telegram.failed > 0, "nobody felt the kill"
        for who in people[:SWITCH]:
            bind(house, who.name)
        await asyncio.gather(*(go_on_in_the_web_chat(house, server.url, who, chance) for who in people[:SWITCH]))
        done = people[:-LEFT_OPEN]
        await asyncio.gather(*(telegram.deliver(session, who.user, HandIn(who.paper)) for who in done))
    assert server.stop() == 0

    house.now = exam.closes_at + timedelta(seconds=1)
    while house.tick():
        pass
    with house.app.database.read() as tx:
        stand = {one.person_id: one for one in quizzes.standing(tx, exam.id) if one.paper is not None}
    wrong = {who.name: (stand[house.ids[who.name]].score, who.score) for who in people}
    assert {name: pair for name, pair in wrong.items() if pair[0] != pair[1]} == {}
    assert Counter(one.handed_in_by for one in stand.values()) == {"self": PEOPLE - LEFT_OPEN, "clock": LEFT_OPEN}
    assert len({who.score for who in people}) > 5, "everybody was as good as everybody else"
    house.app.database.close()
