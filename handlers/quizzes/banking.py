"""Banks, as use cases: load the shipped one, read a file, take it, say what can be drawn from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from bot.core.reply import Refused, Words, words
from handlers import secrecy
from handlers.quizzes import gift
from handlers.quizzes.gift import Reading
from handlers.quizzes.gift_problems import Problem
from handlers.quizzes.gift_writing import write, write_question
from handlers.quizzes.paper import askable, parse
from handlers.quizzes.rules import Question
from handlers.rights import Right, may, places, require, roles_with
from storage import audit, banks, organisations
from storage.audit import Actor
from storage.banks import Bank, Kept
from storage.house import Tx
from storage.organisations import Org

SHIPPED = "贴心题库"
OWN = "自有题库"
"""What the bank of an organisation is called."""
LARGEST = 2 * 1024 * 1024
"""Bytes of a file of questions."""
PENDING = timedelta(hours=1)
"""How long a file handed over in a chat waits for its sender's word."""


@dataclass(frozen=True, slots=True)
class Import:
    """What taking a file would do. `unasked` questions are kept out: an essay is for people to read."""

    new: tuple[Question, ...]
    changed: tuple[Question, ...]
    same: int
    unasked: tuple[Question, ...]
    twice: tuple[Question, ...]
    problems: tuple[Problem, ...]

    @property
    def takes(self) -> int:
        return len(self.new) + len(self.changed)

    @property
    def rejected(self) -> int:
        """Questions of the file that are not taken because something is wrong with them."""
        return sum(not problem.kept for problem in self.problems) + len(self.twice)

    @property
    def categories(self) -> list[tuple[str, int]]:
        """How many questions would come into each category."""
        counted: dict[str, int] = {}
        for one in (*self.new, *self.changed):
            counted[category_of(one)] = counted.get(category_of(one), 0) + 1
        return list(counted.items())


def category_of(question: Question) -> str:
    """Names from the outermost in, with slashes between; empty where the file names none."""
    return "/".join(gift.category_path(question.category))[:200]


def key_of(question: Question) -> str:
    """What a question is known by: its idnumber, else its title and its words."""
    if question.idnumber:
        return question.idnumber[:80]
    digest = hashlib.sha256(f"{question.title}\n{question.text.text}".encode()).hexdigest()
    return f"#{digest[:24]}"


# -- the shipped one --------------------------------------------------------------------------------------------


@cache
def _file() -> tuple[str, tuple[Question, ...]]:
    """The digest of the shipped bank, and its questions. Raises ValueError where something is wrong with it."""
    content = Path(__file__).with_name("bank.gift").read_bytes()
    reading = gift.read(content)
    if reading.left_out:
        raise ValueError(f"bank.gift, line {reading.left_out[0].line}: {reading.left_out[0].id}")
    return hashlib.sha256(content).hexdigest(), reading.questions


def shipped(tx: Tx, now: datetime) -> Bank:
    """The shipped bank, loaded when it is not there yet or is that of an older program."""
    digest, questions = _file()
    bank = banks.shipped(tx)
    if bank is not None and bank.digest == digest:
        return bank
    tx.lock("shipped bank")
    bank = banks.shipped(tx) or banks.add(tx, now, SHIPPED, None)
    if bank.digest != digest:
        plan = _compared(tx, bank, Reading(questions, ()))
        _put(tx, now, bank, plan)
        banks.set_digest(tx, now, bank.id, digest)
    return bank


# -- a file -----------------------------------------------------------------------------------------------------


def read(content: bytes, filename: str = "") -> Reading:
    """The questions of a file. Raises Refused for one that is too large or bears a mark of secrecy."""
    if len(content) > LARGEST:
        raise Refused("quizzes.file_too_large", most=LARGEST // (1024 * 1024))
    reading = gift.read(content)
    secrecy.check("\n".join(question.text.text for question in reading.questions), filename)
    return reading


def plan(tx: Tx, now: datetime, actor: Actor, org: Org, reading: Reading) -> Import:
    """What taking a file into an organisation's bank would do. Raises Refused without the right there."""
    require(tx, now, actor, Right.QUIZ, org)
    return _compared(tx, banks.of_org(tx, org.id, OWN), reading)


def take(tx: Tx, now: datetime, actor: Actor, org: Org, reading: Reading) -> Import:
    """Take the good questions of a file; examinations that run keep theirs. Raises Refused where there is none."""
    require(tx, now, actor, Right.QUIZ, org)
    tx.lock("quiz bank", org.id)
    bank = banks.of_org(tx, org.id, OWN)
    done = _compared(tx, bank, reading)
    if not done.takes:
        raise Refused("quizzes.nothing_to_take", same=done.same, rejected=done.rejected)
    _put(tx, now, bank or banks.add(tx, now, OWN, org.id), done)
    audit.record(
        tx, now, actor, "quiz.import", f"organisation {org.code}",
        new=len(done.new), changed=len(done.changed), rejected=done.rejected,
    )  # fmt: skip
    return done


def _compared(tx: Tx, bank: Bank | None, reading: Reading) -> Import:
    known = {kept.key: kept for kept in banks.questions(tx, [bank.id])} if bank else {}
    new, changed, unasked, twice, same, seen = [], [], [], [], 0, set[str]()
    for question in reading.questions:
        key = key_of(question)
        if not askable(question):
            unasked.append(question)
        elif key in seen:
            twice.append(question)
        elif key not in known:
            new.append(question)
        elif (known[key].gift, known[key].category) != (write_question(question), category_of(question)):
            changed.append(question)
        else:
            same += 1
        seen.add(key)
    return Import(tuple(new), tuple(changed), same, tuple(unasked), tuple(twice), reading.problems)


def _put(tx: Tx, now: datetime, bank: Bank, done: Import) -> None:
    banks.put(tx, now, bank.id, [_row(one) for one in done.new], [_row(one) for one in done.changed])


def _row(question: Question) -> dict[str, str]:
    return {"key": key_of(question), "category": category_of(question), "gift": write_question(question)}


def problem_words(problem: Problem) -> Words:
    """What is wrong on a line of a file, and what to do."""
    said = words(f"quizzes.gift_{problem.id}", **problem.values)
    return words("quizzes.problem", line=problem.line, said=said, kept=problem.kept)


def told(done: Import, *, most: int = 8) -> Words:
    """What a file would do, or has done, with its first problems."""
    problems = [problem_words(one) for one in done.problems]
    problems += [
        words("quizzes.problem", line=one.line, said=words("quizzes.twice"), kept=False) for one in done.twice
    ]
    problems += [
        words("quizzes.problem", line=one.line, said=words("quizzes.unasked"), kept=False) for one in done.unasked
    ]
    return words(
        "quizzes.import_plan", new=len(done.new), changed=len(done.changed), same=done.same,
        categories=[(name or words("quizzes.no_category"), count) for name, count in done.categories],
        problems=problems[:most], more=max(0, len(problems) - most),
    )  # fmt: skip


# -- what can be drawn from -------------------------------------------------------------------------------------


def pool(tx: Tx, now: datetime, org: Org, category: str = "") -> list[Kept]:
    """The questions that an organisation may draw: of a category and what lies below it, or all."""
    shipped(tx, now)
    found = banks.questions(tx, [bank.id for bank in banks.usable(tx, org)])
    wanted = [one for one in found if not category or f"{one.category}/".startswith(f"{category}/")]
    return [one for one in wanted if askable(parse(one.gift))]


def categories(tx: Tx, now: datetime, org: Org) -> list[tuple[str, int]]:
    """The categories that an organisation may draw from, with how many questions each has."""
    shipped(tx, now)
    return banks.categories(tx, [bank.id for bank in banks.usable(tx, org)])


def code_of(category: str) -> str:
    """What stands for a category on a button."""
    return hashlib.sha256(category.encode()).hexdigest()[:12] if category else "all"


def own_organisation(tx: Tx, now: datetime, actor: Actor) -> Org:
    """The uppermost organisation that somebody's right reaches: their file goes into its bank. Raises Refused."""
    area = places(tx, now, actor, Right.QUIZ)
    if not area:
        check_right(tx, now, actor)
        raise Refused("quizzes.nobody")  # a house without any organisation
    return area[0]


def check_right(tx: Tx, now: datetime, actor: Actor) -> None:
    """Raises Refused for somebody who may not see to quizzes anywhere."""
    if not may(tx, now, actor, Right.QUIZ):
        raise Refused("quizzes.not_yours", offices=roles_with(Right.QUIZ))


# -- a file that waits ------------------------------------------------------------------------------------------


def keep(tx: Tx, now: datetime, person_id: int, reading: Reading) -> int:
    """Keep the good questions of a file until its sender has decided; its number for the buttons."""
    number = int(now.timestamp() * 1000) % 2**31  # a column of PostgreSQL has no more room
    banks.wait(tx, person_id, number, write(reading.questions), now + PENDING)
    return number


def kept(tx: Tx, now: datetime, person_id: int, number: int) -> Reading:
    """The file that waits. Raises Refused where none does any more."""
    found = banks.waiting(tx, now, person_id, number)
    if found is None:
        raise Refused("quizzes.file_gone")
    return gift.read(found)


def forget(tx: Tx, person_id: int) -> None:
    banks.drop(tx, person_id)


def organisations_for(tx: Tx, now: datetime, actor: Actor) -> Sequence[Org]:
    """Where somebody may open an examination: each organisation in their reach."""
    reach = places(tx, now, actor, Right.QUIZ)
    return [org for place in reach for org in organisations.all_of(tx, below=place)]
