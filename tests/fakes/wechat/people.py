"""people: what do the people in front of an official account do, and what do they see?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tests.fakes.wechat.envelope import element, elements
from tests.fakes.wechat.errors import Json
from tests.fakes.wechat.limits import Cause
from tests.fakes.wechat.model import Choice, Follower, Line, Push, QrCode
from tests.fakes.wechat.notices import subscription_event
from tests.fakes.wechat.world import World

_OTHER = {
    "image": elements([("PicUrl", "http://mmbiz.qpic.cn/invented/0"), ("MediaId", "media-1")]),
    "voice": elements([("MediaId", "media-2"), ("Format", "amr")]),
    "video": elements([("MediaId", "media-3"), ("ThumbMediaId", "media-4")]),
    "location": "<Location_X>39.9</Location_X><Location_Y>116.4</Location_Y><Scale>20</Scale>"
    + element("Label", "北京"),
    "link": elements([("Title", "一条链接"), ("Description", ""), ("Url", "https://example.com/")]),
}


class Stage(Protocol):
    """What people need of the server: its world, and time that passes around their acts."""

    world: World

    async def moment(self) -> None: ...

    async def after_act(self, wait: bool) -> None: ...

    async def until(self, true: Callable[[], bool], what: str, patience: float | None = None) -> None: ...


class Person:
    """Somebody with a phone. Every act takes its effect before the call returns (on a virtual clock)."""

    def __init__(self, stage: Stage, follower: Follower) -> None:
        self._stage = stage
        self.follower = follower

    # -- acts ------------------------------------------------------------------------------------------------

    async def says(self, text: str, *, wait: bool = True) -> Push:
        """Send a text. The account may write five times in the next 48 hours."""
        await self._enter("message")
        self._write(text)
        return await self._done(self._world.message(self.follower, "text", element("Content", text)), wait)

    async def sends_other(self, kind: str, *, wait: bool = True) -> Push:
        """Send an image, a voice, a video, a location or a link."""
        await self._enter("message")
        self._write(f"({kind})")
        return await self._done(self._world.message(self.follower, kind, _OTHER[kind]), wait)

    async def sends_photo(self, content: bytes, *, wait: bool = True) -> Push:
        """Send a picture that can be fetched."""
        media = f"media-{len(self._world.media) + 10}"
        self._world.media[media] = content
        await self._enter("message")
        self._write("(photo)")
        inside = elements([("PicUrl", "http://mmbiz.qpic.cn/invented/1"), ("MediaId", media)])
        return await self._done(self._world.message(self.follower, "image", inside), wait)

    async def sends_raw(self, inside: str, *, kind: str = "text", wait: bool = True) -> Push:
        """Send a message whose own XML is exactly this: two <Content>, a bare `]]>`, control characters."""
        await self._enter("message")
        self._write("(?)")
        return await self._done(self._world.message(self.follower, kind, inside), wait)

    async def taps(self, label: str, *, on: Line | str | None = None, wait: bool = True) -> Push:
        """Tap the line of a msgmenu, or the text link, with these words.

        on: the line of the chat, or words in it; otherwise the newest that has such a choice, however old.
        It arrives as an ordinary text, but opens only the minute.
        """
        choice = self._find(label, on)
        limits = self._world.limits
        await self._enter(limits.link_opens if choice.link else limits.choice_opens)
        return await self._tapped(choice, wait)

    async def forges_tap(self, says: str, id: str, *, wait: bool = True) -> Push:
        """Send a choice no message offered, as a client out of control can."""
        await self._enter(self._world.limits.choice_opens)
        return await self._tapped(Choice(says, says, id), wait)

    async def taps_menu(self, label: str, *, wait: bool = True) -> Push | None:
        """Tap the account's own menu below the chat; None for a parent, which only unfolds."""
        found = self._menu_entry(label)
        if found.get("sub_button"):
            return None
        event, key = ("VIEW", found["url"]) if found["type"] == "view" else (found["type"], found.get("key", ""))
        opens: Cause | None = "tap" if event in {"click", "scancode_push", "scancode_waitmsg"} else None
        await self._enter(opens)
        event = event.upper() if event == "click" else event
        return await self._done(self._world.event(self.follower, event, element("EventKey", key)), wait)

    async def follows(self, *, wait: bool = True) -> Push:
        """Follow the account, found by its name."""
        return await self._follow("", wait)

    async def unfollows(self, *, wait: bool = True) -> Push:
        """Leave: every window closes, and what is sent is refused."""
        await self._stage.moment()
        self.follower.following = False
        self.follower.windows.close()
        push = self._world.event(self.follower, "unsubscribe", element("EventKey", ""), by_person=False)
        return await self._done(push, wait)

    async def scans(self, scene: str, *, wait: bool = True) -> Push | None:
        """Scan the code with this scene (or ticket): follows, or SCAN. None if the code has expired."""
        code = self._code(scene)
        if code.until is not None and self._world.clock.now() >= code.until:
            self._world.show(self.follower, Line("system", "二维码已失效", self._world.clock.now()))
            return None
        ticket = element("Ticket", code.ticket)
        if not self.follower.following:
            return await self._follow(element("EventKey", f"qrscene_{code.scene}") + ticket, wait, "scan")
        await self._enter("scan")
        push = self._world.event(self.follower, "SCAN", element("EventKey", code.scene) + ticket)
        return await self._done(push, wait)

    async def allows(self, *templates: str, refuses: tuple[str, ...] = (), wait: bool = True) -> Push:
        """Answer the pop-up of a page: one credit for each template allowed."""
        await self._enter(None)
        self.follower.credits.update(templates)
        states = dict.fromkeys(templates, "accept") | dict.fromkeys(refuses, "reject")
        return await self._done(subscription_event(self.follower, self._world, "Popup", states), wait)

    async def revokes(self, *templates: str, wait: bool = True) -> Push:
        """Switch notices off in the settings: their credits are gone."""
        await self._enter(None)
        for template in templates:
            self.follower.credits[template] = 0
        states = dict.fromkeys(templates, "reject")
        return await self._done(subscription_event(self.follower, self._world, "Change", states), wait)

    def blocks_templates(self) -> None:
        """Template messages are accepted, and end as `failed:user block`."""
        self.follower.template_status = "failed:user block"

    def misses_templates(self) -> None:
        """Template messages are accepted, and end as `failed: system failed`."""
        self.follower.template_status = "failed: system failed"

    def gets_templates(self) -> None:
        """Template messages arrive (again)."""
        self.follower.template_status = "success"

    # -- sights ----------------------------------------------------------------------------------------------

    @property
    def openid(self) -> str:
        return self.follower.openid

    @property
    def name(self) -> str:
        return self.follower.name

    @property
    def chat(self) -> list[Line]:
        """Everything that stands in the chat, oldest first. Nothing ever disappears."""
        return self.follower.lines

    @property
    def messages(self) -> list[Line]:
        """What the account wrote."""
        return [line for line in self.chat if line.from_bot]

    @property
    def last(self) -> Line:
        """The newest line of the account's."""
        return self.messages[-1]

    @property
    def sends_left(self) -> int:
        """How many customer-service messages may still be sent to this person now."""
        return self.follower.windows.left(self._world.clock.now())

    @property
    def menu(self) -> list[Json]:
        """The account's menu as this phone shows it: a copy up to five minutes old."""
        now = self._world.clock.now()
        if now - self.follower.menu_at >= self._world.limits.menu_refresh:
            self.follower.menu, self.follower.menu_at = list(self._world.menu or []), now
        return self.follower.menu

    async def sees(self, words: str, *, patience: float | None = None) -> Line:
        """Wait until a line of the account's with these words stands in the chat, and return the newest such."""
        await self._stage.until(lambda: bool(self._showing(words)), f"“{words}” before {self.name}", patience)
        return self._showing(words)[-1]

    def transcript(self) -> str:
        """The chat as text: `>` said by the person, `<` by the account, `[…]` its choices, `!` by WeChat."""
        return "\n".join(_as_text(line) for line in self.chat)

    # -- details ---------------------------------------------------------------------------------------------

    @property
    def _world(self) -> World:
        return self._stage.world

    async def _enter(self, cause: Cause | None) -> None:
        if not self.follower.following:
            raise AssertionError(f"{self.name} has to follow first: `await person.follows()`")
        await self._stage.moment()
        if cause is not None:
            self.follower.windows.opens(cause, self._world.clock.now())

    async def _done(self, push: Push, wait: bool) -> Push:
        await self._stage.after_act(wait)
        return push

    async def _follow(self, inside: str, wait: bool, cause: Cause = "follow") -> Push:
        await self._stage.moment()
        now = self._world.clock.now()
        self.follower.following, self.follower.since = True, now
        for opened in {cause, "follow"}:
            self.follower.windows.opens("scan" if opened == "scan" else "follow", now)
        push = self._world.event(self.follower, "subscribe", inside or element("EventKey", ""))
        return await self._done(push, wait)

    async def _tapped(self, choice: Choice, wait: bool) -> Push:
        self._write(choice.says)
        inside = element("Content", choice.says)
        return await self._done(self._world.message(self.follower, "text", inside, menu_id=choice.id), wait)

    def _write(self, text: str) -> None:
        self._world.show(self.follower, Line("member", text, self._world.clock.now()))

    def _showing(self, words: str) -> list[Line]:
        return [line for line in self.messages if words in line.text]

    def _find(self, label: str, on: Line | str | None) -> Choice:
        lines = [on] if isinstance(on, Line) else list(reversed(self.messages))
        if isinstance(on, str):
            lines = [line for line in lines if on in line.text]
        for line in lines:
            for choice in line.choices:
                if choice.label == label:
                    return choice
        raise AssertionError(f"there is nothing “{label}” to tap, only {[line.labels for line in lines]}")

    def _menu_entry(self, label: str) -> Json:
        entries = [entry for one in self.menu for entry in (one, *one.get("sub_button", []))]
        found: Json | None = next((entry for entry in entries if entry["name"] == label), None)
        if found is None:
            raise AssertionError(f"there is no “{label}” in the menu, only {[one['name'] for one in entries]}")
        return found

    def _code(self, scene: str) -> QrCode:
        codes = list(self._world.codes.values())
        found = [code for code in codes if scene in {code.scene, code.ticket}]
        if not found:
            raise AssertionError(f"there is no code {scene!r}, only {[code.scene for code in codes]}")
        return found[-1]


def _as_text(line: Line) -> str:
    mark = {"member": ">", "system": "!"}.get(line.via, "<")
    kind = f"({line.via}) " if line.via in {"template", "subscribe"} else ""
    choices = "\n  " + " ".join(f"[{label}]" for label in line.labels) if line.choices else ""
    return f"{mark} {kind}{line.text}{choices}"
