"""What is done with a mail that has come in? One transaction, and every mail has exactly one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.adapters.email_bounce import Verdict, judge
from bot.adapters.email_context import Situation, mean, offered, put_up, situation, standing
from bot.adapters.email_files import files
from bot.adapters.email_in import Mail, headers
from bot.adapters.email_token import Postmark, new_tag
from bot.adapters.email_trust import Proof, signed
from bot.config import Email
from bot.core import leaving
from bot.core.event import Address, Handed, Said
from bot.core.form import Question
from bot.core.kinds import KINDS, Lines, clean
from bot.core.reply import Message, Refused, Words, words
from bot.core.step import WORDS, plain
from bot.parts import App
from bot.reception import Answered
from handlers.binding import email as binding
from storage import addresses, dialogues, mailbox, mails, people
from storage.addresses import Bound
from storage.house import Tx
from storage.mails import Body, Letter

A_DAY = 3
"""Answers to one address in a day, as a multiple of those in an hour."""
QUOTED = 40
"""Characters of somebody's words that are repeated to them."""
WHOLE = 50
"""Characters under a subject that is a command (思想汇报), from which on they are what is handed in."""
TWICE = 2
"""Days on which a bounce that nobody can read has come: then the address is dead."""


class Taking:
    """Decides about each mail: a bounce, a machine, an answer that acts, one that has to be confirmed, a stranger."""

    def __init__(self, app: App, postmark: Postmark, settings: Email) -> None:
        self._app, self._postmark, self._settings = app, postmark, settings
        self._reception, self._router = app.reception, app.reception.router

    def take(self, tx: Tx, now: datetime, mail: Mail, recipients: Sequence[str], *, cut: bool = False) -> str:
        """What became of a mail, in a word for the metrics. Raises only what the database raises."""
        if not mailbox.see(tx, now, mail.digest):
            return "again"
        named = [name for one in recipients if (name := self._postmark.read(one))]
        returned = [one.tag for one in named if one.purpose == "b"] or self._returned(mail)
        if returned and (mail.machine or judge(mail.parsed) is not Verdict.NONE):  # else somebody writes there
            for its in returned:
                self._bounced(tx, now, mail, its)
            return "bounce"
        if mail.machine:
            return "machine"
        if not mail.sender:
            return "no one sender"
        tags = [one.tag for one in named] + [tag for one in mail.answers if (tag := self._of_id(one))]
        letter = next((known for one in tags if (known := mails.by_tag(tx, one))), None)
        bound = addresses.find(tx, Address("email", mail.sender))
        if bound is None or people.get(tx, bound.person_id).left_on is not None:
            bound = None
        if no := self._forbidden(mail):
            return self._refuse(tx, now, replace(mail, subject=""), no, bound, "forbidden")
        if cut:
            most = max(1, self._settings.largest // 2**20)
            return self._refuse(tx, now, mail, words("mail.too_large", most=most), bound, "too large")
        if bound is None:
            return self._stranger(tx, now, mail, letter)
        return self._person(tx, now, mail, letter, bound)

    def _of_id(self, message_id: str) -> bytes | None:
        return self._postmark.read_message_id(message_id)

    # -- what is not taken -----------------------------------------------------------------------------------

    def _forbidden(self, mail: Mail) -> Words | None:
        """What is said to a mail that bears a mark of secrecy, wherever in it that stands and whoever wrote it."""
        try:
            if self._router.keeper:
                self._router.keeper.check(f"{mail.subject}\n{mail.own.whole}")
        except Refused as no:
            return no.words
        return None

    def _refuse(self, tx: Tx, now: datetime, mail: Mail, said: Words, bound: Bound | None, kind: str) -> str:
        """Say that nothing of it was kept. What is forbidden does not go back: neither its subject nor its words."""
        if self._too_many(tx, now, mail.sender):
            return "too many"
        person_id = bound.person_id if bound else None
        language = people.get(tx, person_id).language if person_id else ""
        self._say(tx, now, mail, said, person_id, language)
        return kind

    # -- somebody whose address is bound ----------------------------------------------------------------------

    def _person(self, tx: Tx, now: datetime, mail: Mail, letter: Letter | None, bound: Bound) -> str:
        theirs = letter is not None and letter.key == mail.sender and letter.person_id == bound.person_id
        about = letter if theirs else None
        proof = Proof(
            token=about is not None and about.good(now),
            registered=True,
            signed=signed(
                headers(mail.parsed, "authentication-results"), self._settings.authserv_id,
                mail.sender.rpartition("@")[2],
            ),
        )  # fmt: skip
        alone = letter is None and not mail.replying  # a mail that answers nothing can only ask to be shown something
        if proof.whole or (proof.known and alone):
            return self._act(tx, now, mail, about if proof.whole else None, bound)
        if self._too_many(tx, now, mail.sender):
            return "too many"
        self._ask_back(tx, now, mail, about, bound, proof)
        return "to confirm"

    def _act(self, tx: Tx, now: datetime, mail: Mail, letter: Letter | None, bound: Bound) -> str:
        before = put_up(tx, bound.address, letter)
        text = self._meant(mail, letter, before)
        heard = self._hear(tx, now, mail, bound.address, text, before)
        said = [message for one in heard for message in one.messages]
        said = [*(replace(message, keys=()) for message in said[:-1]), said[-1]]
        language = people.get(tx, bound.person_id).language or tx.house.language
        if letter is not None and said[-1].text in self._unclear(language):
            said = self._once_more(letter, language) or said
        after = situation(tx, bound.address)
        if letter is not None and (what := self._acted(text, letter, said, before, after)):
            binding.acted(tx, now, bound.person_id, what, _subject(letter))
        mailbox.forget_returns(tx, bound.address.key)
        if self._too_many(tx, now, mail.sender):
            return "not answered"
        self._answer(tx, now, mail, said, after, bound.person_id, language)
        return "broken" if any(one.broken for one in heard) else "answered"

    def _hear(
        self, tx: Tx, now: datetime, mail: Mail, at: Address, text: str, before: Situation
    ) -> list[Answered]:  # fmt: skip
        """Hear what a mail says, with its files where a question wants some; one that brings all of it is done."""
        heard: list[Answered] = []

        def hear(text: str, file: tuple[str, bytes] | None = None) -> None:
            event = f"{_event(mail)}:{len(heard)}" if heard else _event(mail)
            what = Handed(at, event, *file, text=text) if file else Said(at, event, text)
            heard.append(self._reception.receive(tx, what, now))

        brought = files(mail.parsed)
        if brought and before.at and self._reception.wants_file(tx, at, now):
            walks = _walks(text)
            for place, file in enumerate(brought):
                hear("" if walks or place else text, file)
            if walks:
                hear(text)
            return heard
        hear(text)
        if text != mail.subject and text.startswith(f"{mail.subject}\n") and self._pieces(situation(tx, at)):
            for file in brought if self._reception.wants_file(tx, at, now) else ():
                hear("", file)
            hear("完")
        return heard

    def _acted(self, text: str, letter: Letter, said: Sequence[Message], before: Situation, after: Situation) -> str:
        """What an answer has done that its writer should hear of elsewhere; empty: it only showed or asked."""
        offer = offered(text, letter)
        if before.draft is not None and after.drafts < before.drafts:
            if leaving.given_up(text, standing(letter), offer):
                return ""
            form = self._router.forms.get(before.draft.form)
            return form.form.called.source if form else ""
        done = any(message.replaces and message.toast for message in said)  # what only shows says no such thing
        return offer.label if offer and done else ""

    def _unclear(self, language: str) -> set[str]:
        """What is said to words that nobody understands, and to none."""
        names = ("conversation.unclear", "conversation.no_words")
        return {self._reception.renderer.say(words(name), language) for name in names}

    def _once_more(self, letter: Letter, language: str) -> list[Message]:
        """What could have been answered to a mail, for somebody who wrote something else (“我已收到，谢谢”)."""
        before = dialogues.load_messages(letter.body.messages) if letter.body.messages else []
        keys = tuple(row for one in before for row in one.keys if row)
        if not keys:
            return []
        answered = any(key.payload is not None for row in keys for key in row)
        about = _subject(letter) if letter.delivery_id is not None else ""
        said = words("mail.once_more", about=about) if answered else words("mail.by_link_only")
        return [Message(self._reception.renderer.say(said, language), keys)]

    def _ask_back(self, tx: Tx, now: datetime, mail: Mail, letter: Letter | None, bound: Bound, proof: Proof) -> None:
        """Nothing is done; a link says what was meant, and does it when its page's button is pressed."""
        language = people.get(tx, bound.person_id).language or tx.house.language
        text = self._meant(mail, letter, put_up(tx, bound.address, letter))
        about = _subject(letter) if letter else ""
        meant = {"text": text, "tag": letter.tag.hex() if letter else "", "about": about}
        url = mean(tx, now, bound.person_id, meant)
        values = {
            "text": self._quoted(text, tx, mail, bound.address),
            "about": about,
            "stale": letter is not None and not proof.token,
        }
        body = Body(
            template="mail.meant", values=values, label="mail.meant_key", url=url, answers=mail.message_id,
            subject=mail.subject,
        )  # fmt: skip
        self._queue(tx, now, mail, body, bound.person_id, language)

    def _quoted(self, text: str, tx: Tx, mail: Mail, at: Address) -> str:
        """The beginning of what was said; of what is too personal for a mail only how much it was."""
        here = situation(tx, at)
        use = self._router.forms.get(here.draft.form) if here.draft and here.at else None
        if use and use.form.answer_grade not in self._reception.carriage.grades(tx.house, at):
            return f"…（{len(text)}）"
        return mail.subject[:QUOTED] if text.startswith(f"{mail.subject}\n") else text[:QUOTED]

    # -- strangers --------------------------------------------------------------------------------------------

    def _stranger(self, tx: Tx, now: datetime, mail: Mail, letter: Letter | None) -> str:
        if self._too_many(tx, now, mail.sender):
            return "too many"
        if letter is not None and letter.person_id is not None:
            # Somebody answers from another address, or has been forwarded the mail. Nothing of it is told to either.
            self._say(tx, now, mail, words("mail.not_bound"))
            return "other sender"
        text = self._first_words(mail)
        if code := binding.mailed_code(text):
            try:
                if not binding.show_code(tx, now, mail.sender, code, tx.house.language):
                    self._say(tx, now, mail, words("binding.wrong_code"))
            except Refused as no:
                self._say(tx, now, mail, no.words)
            return "code"
        address = Address("email", mail.sender)
        answered = self._reception.receive(tx, Said(address, _event(mail), text), now)
        self._answer(tx, now, mail, answered.messages, situation(tx, address), None, tx.house.language)
        return "stranger"

    # -- what was said ----------------------------------------------------------------------------------------

    def _meant(self, mail: Mail, letter: Letter | None, now_open: Situation) -> str:
        """What a mail says to us: its first own line, or all of it where the open question takes several lines."""
        fresh = letter is None and not mail.replying and mail.subject
        if fresh and (found := self._router.find(clean(mail.subject))):
            whole = found[0].letters and (len(mail.own.whole) >= WHOLE or files(mail.parsed))
            return f"{mail.subject}\n{mail.own.whole}" if whole else mail.subject
        own = mail.own
        if not own.first:
            return "" if mail.replying else mail.subject
        question = self._question(now_open)
        if question is None or question.choices or not (question.kind.pieces or question.kind is KINDS[Lines]):
            plain = own.first.rstrip("。.!！~ ")  # “收到！” means 收到
            return plain if letter and not plain.isdecimal() and offered(plain, letter) else own.first
        return own.first if _walks(own.first) or (letter and offered(own.first, letter)) else own.whole

    def _question(self, here: Situation) -> Question | None:
        """The question that stands open."""
        use = self._router.forms.get(here.draft.form) if here.draft and here.at else None
        return use.form.questions.get(here.at) if use else None

    def _pieces(self, here: Situation) -> bool:
        """Whether a question stands open that takes several messages."""
        question = self._question(here)
        return question is not None and question.kind.pieces

    def _first_words(self, mail: Mail) -> str:
        return mail.own.first or ("" if mail.replying else mail.subject)

    # -- answers ----------------------------------------------------------------------------------------------

    def _too_many(self, tx: Tx, now: datetime, key: str) -> bool:
        """Whether an address has had its answers: two machines would talk to each other for ever."""
        hour, day = mailbox.answers(tx, now, key)
        most = self._settings.answers_per_hour
        return hour >= most or day >= A_DAY * most

    def _answer(
        self, tx: Tx, now: datetime, mail: Mail, messages: Sequence[Message], here: Situation,
        person_id: int | None, language: str,
    ) -> None:  # fmt: skip
        hour, _ = mailbox.answers(tx, now, mail.sender)
        said = list(messages)
        if hour == self._settings.answers_per_hour - 1:
            note = self._reception.renderer.say(
                words("mail.too_many", most=self._settings.answers_per_hour), language
            )
            said.append(Message(note))
        at = here.draft.at if here.at and here.draft else ""
        body = Body(
            dialogues.dump_messages(said), asking=here.asking if here.at else 0, at=at, answers=mail.message_id,
            subject=mail.subject,
        )  # fmt: skip
        self._queue(tx, now, mail, body, person_id, language)

    def _say(
        self, tx: Tx, now: datetime, mail: Mail, said: Words, person_id: int | None = None, language: str = ""
    ) -> None:
        body = Body(template=said.template, values=dict(said.values), answers=mail.message_id, subject=mail.subject)
        self._queue(tx, now, mail, body, person_id, language or tx.house.language)

    def _queue(self, tx: Tx, now: datetime, mail: Mail, body: Body, person_id: int | None, language: str) -> None:
        mailbox.note_answer(tx, now, mail.sender)
        mails.add(tx, now, tag=new_tag(), key=mail.sender, body=body, person_id=person_id, language=language)

    # -- bounces ----------------------------------------------------------------------------------------------

    def _returned(self, mail: Mail) -> list[bytes]:
        """The mail that a bounce gives back, for a mailbox that knows no plus addresses."""
        if self._settings.plus_addresses or mail.machine not in ("null sender", "report", "no person's address"):
            return []
        for part in mail.parsed.walk():
            if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
                inner = part.get_payload()
                found = inner[0] if isinstance(inner, list) and inner else part
                text = str(found.get("Message-ID", "")) if not isinstance(found, str) else ""
                if tag := self._of_id(text or _id_in(str(inner))):
                    return [tag]
        return []

    def _bounced(self, tx: Tx, now: datetime, mail: Mail, tag: bytes) -> None:
        letter = mails.by_tag(tx, tag)
        verdict = judge(mail.parsed)
        if letter is None or verdict in (Verdict.NONE, Verdict.DELAYED):
            return
        day = now.astimezone(tx.house.zone).date()
        mailbox.note_return(tx, letter.key, day, verdict)
        mails.mark(tx, tag, "bounced")
        if letter.delivery_id is not None:
            mails.came_back(tx, now, letter.delivery_id, f"bounced: {verdict}")
        unreadable = verdict is Verdict.UNREADABLE and mailbox.days_returned(tx, letter.key, verdict) >= TWICE
        if verdict is Verdict.DEAD or unreadable:
            binding.died(tx, now, letter.person_id, letter.key)


def _id_in(text: str) -> str:
    for line in text.splitlines():
        if line.lower().startswith("message-id:"):
            return line.partition(":")[2].strip()
    return ""


def _walks(text: str) -> bool:
    """Whether words are a step of a dialogue: 完, 上一步 …"""
    return any(plain(text) in spellings for spellings in WORDS.values())


def _event(mail: Mail) -> str:
    return mail.digest.hex()[:32]


def _subject(letter: Letter) -> str:
    """What a mail was about: its first line."""
    if not letter.body.messages:
        return ""
    text = dialogues.load_messages(letter.body.messages)[0].text
    return next((line.strip()[:60] for line in text.splitlines() if line.strip()), "")
