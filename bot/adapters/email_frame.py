"""email_frame: which words stand around a message in a mail?"""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.email_out import Trim, choices
from bot.core.reply import Key, Message, Words
from bot.render import Renderer
from storage import dialogues
from storage.mails import Letter


class Frame:
    """The words of `templates/mail/`, and those that a mail itself was remembered by. `house` is its name."""

    def __init__(self, renderer: Renderer, house: str, language: str) -> None:
        self._renderer, self._house, self._language = renderer, house, language

    def messages(self, letter: Letter) -> list[Message]:
        """What a mail says."""
        body, language = letter.body, letter.language or self._language
        if body.messages:
            return dialogues.load_messages(body.messages)
        text = self._renderer.say(Words(body.template, body.values), language)
        if not body.label:
            return [Message(text)]
        return [Message(text, ((Key(self._renderer.say(Words(body.label), language), path=body.url),),))]

    def trim(self, letter: Letter, messages: Sequence[Message]) -> Trim:
        """What stands around it."""
        language = letter.language or self._language
        return Trim(
            mark=self._say("reply_line", language),
            how=self._how(messages, language, open_question=bool(letter.body.asking)),
            foot=self._say("foot", language, house=self._house),
            stop=self._say("stop", language),
            neutral=self._say("neutral", language),
        )

    def _how(self, messages: Sequence[Message], language: str, *, open_question: bool) -> str:
        keys = [key for message in messages for key in choices(message)]
        if not keys:
            return self._say("how_words", language) if open_question else ""
        return (
            self._say("how_one", language, label=keys[0].label) if len(keys) == 1 else self._say("how_some", language)
        )

    def _say(self, name: str, language: str, **values: object) -> str:
        return self._renderer.say(Words(f"mail.{name}", values), language)
