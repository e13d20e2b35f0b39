"""Is somebody sure who gives up a form? Asked once, and only where much would be lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.core.action import Code
from bot.core.form import Form
from bot.core.kinds import Prose, pieces
from bot.core.memory import Draft, Memory, Offer
from bot.core.reply import Button, Phrase, Reply, words
from bot.core.step import WORDS, Step, plain

MANY = 3
"""So many answers are a loss, however short they are."""
SURE = {"cancel": ("drop", Phrase("确定取消")), "restart": ("anew", Phrase("确定重新开始"))}
"""By the step that would lose something: the one that does so without asking, and its button."""
YES = {"确定", "确认", "是", "是的", "好", "好的", "yes"}
NO = {"不", "不是", "否", "不取消", "继续", "接着", "no"}


def written(draft: Draft, form: type[Form]) -> dict[str, Prose]:
    """What was sent as text or files, by the question's name: answers, and pieces of what is no answer yet.

    What the form began with is not counted: it is still there where it came from.
    """
    sent = {q.name: draft.answers.get(q.name, "") for q in form.questions.values() if q.kind.pieces}
    sent = {name: text for name, text in sent.items() if text != draft.brought.get(name, "")}
    sent |= {name: "\n".join(parts) for name, parts in {**draft.left, draft.at: draft.parts}.items() if parts}
    return {name: pieces(text) for name, text in sent.items() if text}


def unsure(draft: Draft, form: type[Form], do: str) -> Reply | None:
    """The question back to somebody who gives up a form; None where little would be lost."""
    long = written(draft, form)
    came = {**draft.brought, **draft.given}
    own = {name for name, text in draft.answers.items() if text and text != came.get(name)}
    if not long and len(own) < MANY:
        return None
    filled = [(q.title, long.get(name)) for name, q in form.questions.items() if name in own or name in long]
    step, label = SURE[do]
    row = (Button(label, Step(draft.id, Code(step), Code(""))), Button(Phrase("接着填"), _stay(draft.id)))
    said = words("conversation.sure", form=form.called, filled=filled, anew=do == "restart")
    return Reply(said, (row,), grade=form.grade)


def asked(memory: Memory) -> bool:
    """Whether it stands asked at this address: a number typed now is one of its two buttons."""
    return any(_gives_up(offer.payload) for offer in memory.offers)


def meant(memory: Memory, text: str) -> Offer | None:
    """The button that a word stands for where it is asked: a second 取消 is one that is sure."""
    sure = next((offer for offer in memory.offers if _gives_up(offer.payload)), None)
    if sure is None or memory.draft is None:
        return None
    if plain(text) in WORDS["cancel"] | YES:
        return sure
    stay = _stay(memory.draft.id).encode()
    return next((o for o in memory.offers if o.payload == stay), None) if plain(text) in NO else None


def given_up(text: str, standing: Sequence[Offer], pressed: Offer | None) -> bool:
    """Whether these words have given up a form rather than sent it, under the buttons that stood there."""
    sure = any(_gives_up(offer.payload) for offer in standing)
    return plain(text) in WORDS["cancel"] | (YES if sure else set()) or bool(pressed and _gives_up(pressed.payload))


def files(draft: Draft, form: type[Form]) -> Iterator[int]:
    """The files that were handed in for a draft, by their numbers."""
    kept = [draft.answers.get(q.name, "") for q in form.questions.values() if q.files]
    return (file.id for text in (*kept, *draft.pieces) for file in pieces(text).files)


def _stay(draft: int) -> Step:
    return Step(draft, Code("resume"), Code(""))


def _gives_up(payload: str) -> bool:
    tag, *fields = payload.split(":")
    return tag == Step.tag and len(fields) > 1 and fields[1] in {step for step, _ in SURE.values()}
