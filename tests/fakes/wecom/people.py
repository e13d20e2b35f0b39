"""people: what do members do with their phones, and what do they see?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from tests.fakes.wecom.model import Button, Line, Look, Member, Option
from tests.fakes.wecom.push import Courier
from tests.fakes.wecom.world import World


class Stage(Protocol):
    """What people need of the server."""

    world: World
    courier: Courier
    corp_id: str

    async def until(self, true: Callable[[], bool], what: str, patience: float = 15.0) -> None: ...


class Person:
    """Somebody with a phone, and the company's WeCom on it."""

    def __init__(self, stage: Stage, member: Member) -> None:
        self._stage, self.member = stage, member

    # -- acts ------------------------------------------------------------------------------------------------

    async def says(self, text: str, *, msgid: str | None = "", wait: bool = True) -> str:
        """Send a text; its MsgId. Pass a `msgid` to have WeCom bring the same message once more, None for one
        without (as old clients send)."""
        number = msgid if msgid != "" else self._stage.world.message_id()
        self._note(text)
        inner = f"<MsgType><![CDATA[text]]></MsgType><Content>{cdata(text)}</Content>"
        if number is not None:
            inner += f"<MsgId>{number}</MsgId>"
        await self._push(inner, wait=wait)
        return number or ""

    async def sends_image(self, *, wait: bool = True) -> None:
        inner = ("<MsgType><![CDATA[image]]></MsgType><PicUrl><![CDATA[http://127.0.0.1/p]]></PicUrl>"
                 f"<MediaId><![CDATA[m]]></MediaId><MsgId>{self._stage.world.message_id()}</MsgId>")  # fmt: skip
        await self._push(inner, wait=wait)

    async def enters(self, *, wait: bool = True) -> None:
        """Open the application: an event that asks for nothing."""
        await self._push(_event("enter_agent", "<EventKey/>"), wait=wait)

    async def taps(self, label: str, *, on: Line | None = None, wait: bool = True) -> Line:
        """Press the button with this label, or one that contains it, on the newest card that has it."""
        line, look = self._card(label, on)
        button = _best(look.buttons, label)
        assert button.key, f"{label!r} opens a page"
        await self._touch(line, button.key, "", wait)
        return line

    async def selects(self, *labels: str, on: Line | None = None, wait: bool = True) -> Line:
        """Choose these options on the newest card that has them (none: the newest with a list), and submit."""
        line, look = self._card(labels[0] if labels else "", on, choosing=True)
        assert look.submit
        chosen: list[str] = []
        for question in look.questions:
            ids = [_best(question.options, label).id for label in labels]
            assert question.several or len(ids) <= 1, "only one can be chosen"
            inner = "".join(f"<OptionId>{cdata(one)}</OptionId>" for one in ids)
            chosen.append(f"<SelectedItem><QuestionKey>{cdata(question.key)}</QuestionKey>"
                          f"<OptionIds>{inner}</OptionIds></SelectedItem>")  # fmt: skip
        await self._touch(line, look.submit.key, f"<SelectedItems>{''.join(chosen)}</SelectedItems>", wait)
        return line

    async def forges(self, line: Line, key: str, *, wait: bool = True) -> None:
        """Press a key that the card does not have, as a client out of control can."""
        await self._touch(line, key, "", wait)

    async def _touch(self, line: Line, key: str, more: str, wait: bool) -> None:
        assert line.card
        assert line.look
        code = self._stage.world.new_code(line.card)
        inner = (f"<EventKey>{cdata(key)}</EventKey><TaskId>{cdata(line.card.task_id)}</TaskId><CardType>"
                 f"{cdata(line.look.kind)}</CardType><ResponseCode>{cdata(code)}</ResponseCode>{more}")  # fmt: skip
        await self._push(_event("template_card_event", inner), line=line, wait=wait)

    async def _push(self, inner: str, *, line: Line | None = None, wait: bool) -> None:
        world = self._stage.world
        xml = (f"<xml><ToUserName>{cdata(self._stage.corp_id)}</ToUserName>"
               f"<FromUserName>{cdata(self.member.userid)}</FromUserName><CreateTime>{int(world.clock.now())}"
               f"</CreateTime>{inner}<AgentID>{world.agent_id}</AgentID></xml>")  # fmt: skip
        task = self._stage.courier.tell(self.member, xml, line.card if line else None)
        if wait:
            await task

    # -- sights ----------------------------------------------------------------------------------------------

    @property
    def lines(self) -> list[Line]:
        return self.member.lines

    @property
    def last(self) -> Line:
        """The newest line of the application."""
        return next(line for line in reversed(self.lines) if line.from_app)

    @property
    def cards(self) -> list[Line]:
        return [line for line in self.lines if line.look]

    async def sees(self, words: str, patience: float = 15.0) -> Line:
        """Wait until a line of the application with these words stands in the chat; the newest such."""
        await self._stage.until(
            lambda: bool(self._showing(words)), f"“{words}” before {self.member.userid}", patience
        )
        return self._showing(words)[-1]

    def _showing(self, words: str) -> list[Line]:
        return [line for line in self.lines if line.from_app and words in line.words]

    def leaves(self) -> None:
        """Leave the company, or the part of it that may see the application."""
        self.member.active = False

    def _note(self, text: str) -> None:
        self.lines.append(Line(self._stage.world.clock.now(), False, text))

    def _card(self, label: str, on: Line | None, *, choosing: bool = False) -> tuple[Line, Look]:
        for line in [on] if on else reversed(self.lines):
            look = line.look
            if look is None or look.replaced or (choosing and not look.questions):
                continue
            offered = [o.text for q in look.questions for o in q.options] if choosing else [
                button.text for button in look.buttons]  # fmt: skip
            if any(label in text for text in offered):
                return line, look
        raise AssertionError(f"no card with {label!r}; there are {[line.labels for line in self.cards]}")


def _event(name: str, inner: str) -> str:
    return f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event>{inner}"


T = TypeVar("T", Button, Option)


def _best(offered: Sequence[T], label: str) -> T:
    return next((o for o in offered if o.text == label), None) or next(o for o in offered if label in o.text)


def cdata(text: str) -> str:
    """A text as WeCom writes it, which splits the one sequence that would end it."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
