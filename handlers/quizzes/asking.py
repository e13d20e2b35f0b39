"""How does a question look in a chat: its words, its buttons, what was answered, and afterwards why?"""

from __future__ import annotations

import html
import re
from fractions import Fraction
from typing import Final

from bot.core.action import Action
from bot.core.reply import Button, Label, Words, words
from handlers.quizzes import rules
from handlers.quizzes.paper import LETTERS, Slot
from handlers.quizzes.rules import (
    Answer,
    Matching,
    MultipleChoice,
    Numerical,
    ShortAnswer,
    SingleChoice,
    Text,
    TrueFalse,
)

LONG: Final = 14
"""Characters that a button of a phone shows; where an option is longer, all are spelled out above the buttons."""
A_ROW: Final = 5
"""Letters in a row of buttons."""

Row = tuple[Button, ...]


class Pick(Action, tag="qp", light=True):
    """Choose an option as it is shown (of several: mark it, or take the mark off); of 对 and 错, 1 is 对."""

    paper: int
    at: int
    option: int


class Match(Action, tag="qm", light=True):
    """Give a stem one of the choices as they are shown."""

    paper: int
    at: int
    stem: int
    choice: int


class Unmatch(Action, tag="qu", light=True):
    """Take all pairs apart again."""

    paper: int
    at: int


class Typed(Action, tag="qt", light=True):
    """What is typed is the answer to this question."""

    paper: int
    at: int


class Settle(Action, tag="qo", light=True):
    """确定: these marks are the answer."""

    paper: int
    at: int


_BREAK: Final = re.compile(r"<br\s*+/?>|</(?:p|div|li|tr|h[1-6])>", re.IGNORECASE)
_IMAGE: Final = re.compile(r"<img\b", re.IGNORECASE)
_DESCRIBED: Final = re.compile(r"\balt=[\"']([^\"'>]*)[\"']", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-zA-Z][^>]*+>")


def plain(text: Text) -> str:
    """Words of a question as a chat shows them. HTML loses its tags; a picture leaves its description."""
    if text.format in ("plain", "markdown"):
        return text.text.strip()
    closed, end, rest = text.text.rpartition(">")  # beyond the last end no tag is looked for, again and again
    return re.sub(r"\n{3,}", "\n\n", html.unescape(_TAG.sub(_shown_for, closed + end) + rest)).strip()


def _shown_for(tag: re.Match[str]) -> str:
    if _BREAK.fullmatch(tag[0]):
        return "\n"
    described = _DESCRIBED.search(tag[0])
    return f"[{described[1] if described and described[1] else '…'}]" if _IMAGE.match(tag[0]) else ""


def hundred(share: Fraction) -> str:
    """A share as points out of 100, with one decimal at most, and never more than was reached."""
    tenths = int(share * 1000)
    return f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"


def kind(slot: Slot) -> Words:
    names = {SingleChoice: "single", MultipleChoice: "several", TrueFalse: "true_false", ShortAnswer: "short",
             Numerical: "number", Matching: "pairs"}  # fmt: skip
    return words(f"quizzes.kind_{names[type(slot.question)]}")


def question(slot: Slot, count: int, answer: Answer, *, about: Words, noted: Words | None = None) -> Words:
    """The question as it is asked, with what was answered so far. `about`: which examination, until when."""
    options = [(LETTERS[shown], text) for shown, text in enumerate(_shown(slot))]
    spelled = bool(options) and (isinstance(slot.question, Matching) or _long(slot))
    return words(
        "quizzes.question", about=about, noted=noted, number=slot.at + 1, count=count, kind=kind(slot),
        text=plain(slot.question.text), options=options if spelled else [], stems=_stems(slot, answer),
        now=None if answer in (None, frozenset()) or isinstance(slot.question, Matching) else said(slot, answer),
        typed=slot.typed, several=slot.several,
    )  # fmt: skip


def choices(slot: Slot, paper_id: int, answer: Answer) -> list[Row]:
    """The buttons that answer it."""
    asked = slot.question
    if isinstance(asked, TrueFalse):
        return [
            tuple(
                Button(words(f"quizzes.say_{w}"), Pick(paper_id, slot.at, n)) for w, n in (("true", 1), ("false", 0))
            )
        ]
    if isinstance(asked, Matching):
        return _match(slot, asked, paper_id, answer)
    if slot.typed:
        return []
    marked = answer if isinstance(answer, frozenset) else frozenset()
    buttons = []
    for shown, text in enumerate(_shown(slot)):
        label: Label = LETTERS[shown] if _long(slot) else f"{LETTERS[shown]}. {text}"
        if slot.several:
            label = f"{'☑' if slot.shown[shown] in marked else '☐'} {label}"
        buttons.append(Button(label, Pick(paper_id, slot.at, shown)))
    rows = _rows(buttons, A_ROW if _long(slot) else 1)
    if marked:
        rows.append((Button(words("quizzes.settle", count=len(marked)), Settle(paper_id, slot.at)),))
    return rows


def _match(slot: Slot, asked: Matching, paper_id: int, answer: Answer) -> list[Row]:
    pairs = answer if isinstance(answer, tuple) else (None,) * len(asked.stems)
    stem = next((place for place, given in enumerate(pairs) if given is None), None)
    rows = []
    if stem is not None:
        letters = [Button(LETTERS[n], Match(paper_id, slot.at, stem, n)) for n in range(len(slot.shown))]
        rows = _rows(letters, A_ROW)
    if any(given is not None for given in pairs):
        rows.append((Button(words("quizzes.unmatch"), Unmatch(paper_id, slot.at), walk=True),))
    return rows


def said(slot: Slot, answer: Answer) -> Words:
    """An answer in words, short: “B”, “A、C”, “对”, “1-B 2-A”, what was typed."""
    asked = slot.question
    if isinstance(asked, TrueFalse):
        return words("quizzes.say_true" if answer else "quizzes.say_false")
    if isinstance(answer, frozenset):
        return words("quizzes.letters", letters=sorted(slot.letter(place) for place in answer))
    if isinstance(answer, tuple):
        given = [f"{n}-{slot.letter(place)}" for n, place in enumerate(answer, 1) if place is not None]
        return words("quizzes.plainly", text=" ".join(given))
    if isinstance(answer, int):
        return words("quizzes.plainly", text=slot.letter(answer))
    return words("quizzes.plainly", text=answer or "")


def explained(slot: Slot, answer: Answer) -> Words:
    """Whether an answer was right, what the right one is, and why: only for those who may know it."""
    mark = rules.score(slot.question, answer)
    best = rules.solution(slot.question)
    why = [plain(text) for text in mark.feedback] + [plain(slot.question.general)]
    return words(
        "quizzes.explained", number=slot.at + 1, text=plain(slot.question.text), right=mark.right,
        share=mark.fraction or Fraction(0), answered=answer is not None and answer != frozenset(),
        said=_spelled(slot, answer), best=_spelled(slot, best), why=[text for text in why if text],
    )  # fmt: skip


def _spelled(slot: Slot, answer: Answer) -> list[str | Words]:
    """An answer with the words of its options."""
    asked = slot.question
    if answer is None:
        return []
    if isinstance(asked, SingleChoice | MultipleChoice):
        places = answer if isinstance(answer, frozenset) else {answer}
        return [
            f"{LETTERS[shown]}. {plain(asked.options[place].text)}"
            for shown, place in enumerate(slot.shown) if place in places
        ]  # fmt: skip
    if isinstance(asked, Matching) and isinstance(answer, tuple):
        return [
            f"{plain(pair.stem)} — {asked.choices[place] if place is not None else '…'}"
            for pair, place in zip(asked.stems, answer, strict=True)
        ]
    return [said(slot, answer)]


def _shown(slot: Slot) -> list[str]:
    """What can be chosen, in the order in which it is shown."""
    asked = slot.question
    if isinstance(asked, Matching):
        return [asked.choices[place] for place in slot.shown]
    if isinstance(asked, SingleChoice | MultipleChoice):
        return [plain(asked.options[place].text) for place in slot.shown]
    return []


def _stems(slot: Slot, answer: Answer) -> list[tuple[int, str, str]]:
    """What has to be matched: (number, words, the letter it was given)."""
    if not isinstance(slot.question, Matching):
        return []
    pairs = answer if isinstance(answer, tuple) else (None,) * len(slot.question.stems)
    return [
        (number, plain(pair.stem), "" if place is None else slot.letter(place))
        for number, (pair, place) in enumerate(zip(slot.question.stems, pairs, strict=True), 1)
    ]


def _long(slot: Slot) -> bool:
    return any(len(text) > LONG or "\n" in text for text in _shown(slot))


def _rows(buttons: list[Button], width: int) -> list[Row]:
    return [tuple(buttons[at : at + width]) for at in range(0, len(buttons), width)]
