"""server: what answers at the address of the Bot API?"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from tests.fakes.telegram import messages, settings
from tests.fakes.telegram.clock import Clock, VirtualClock
from tests.fakes.telegram.errors import ApiError, Fault, Json, bad_request
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.model import Account, Attempt, Call, Chat, Dropped
from tests.fakes.telegram.params import Params, Wrong, read_request
from tests.fakes.telegram.people import Group, Person
from tests.fakes.telegram.polling import Poller
from tests.fakes.telegram.webhook import Courier
from tests.fakes.telegram.world import World

TOKEN = "123456789:" + "invented-token-of-the-fake-server-0"
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{35}")
_DOWNLOAD = 20 * 1024 * 1024


def _get_file(world: World, params: Params) -> Json:
    document = world.files.get(params.text("file_id"))
    if document is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(document.upload.content) > _DOWNLOAD:
        raise bad_request("file is too big")
    return document.as_json() | {"file_path": f"documents/{document.file_id}"}


_METHODS: dict[str, Callable[[World, Params], object]] = {
    "getMe": settings.get_me,
    "setWebhook": settings.set_webhook,
    "deleteWebhook": settings.delete_webhook,
    "getWebhookInfo": settings.get_webhook_info,
    "setMyCommands": settings.set_my_commands,
    "getMyCommands": settings.get_my_commands,
    "deleteMyCommands": settings.delete_my_commands,
    "getChat": messages.get_chat,
    "getFile": _get_file,
    "sendMessage": messages.send_message,
    "sendDocument": messages.send_document,
    "sendChatAction": messages.send_chat_action,
    "editMessageText": messages.edit_message_text,
    "editMessageCaption": messages.edit_message_caption,
    "editMessageReplyMarkup": messages.edit_message_reply_markup,
    "deleteMessage": messages.delete_message,
    "answerCallbackQuery": messages.answer_callback_query,
}
_SPELLING = {name.lower(): name for name in [*_METHODS, "getUpdates"]}


@dataclass
class _Scripted:
    fault: Fault
    method: str | None
    chat: int | None
    times: int

    def meets(self, method: str, params: Params) -> bool:
        return self.method in {None, method} and self.chat in {None, params.integer("chat_id")}


class FakeTelegram:
    """The Bot API for one bot, at 127.0.0.1.

    On a virtual clock (the default) an act of a person takes `pace` seconds, and returns when the bot has
    answered the webhook, or has asked its poller for more. On a real clock nothing waits; use `settled`,
    `until` or `person.sees`.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        clock: Clock | None = None,
        limits: Limits | None = None,
        seed: int = 0,
        port: int = 0,
    ) -> None:
        self.token = token
        self.clock: Clock = clock or VirtualClock()
        self.limits = limits or Limits()
        self.pace = 2.0
        """Seconds of virtual time that pass before each act of a person."""
        self.patience = 60.0
        """Real seconds to wait for the bot before a test is told that it waits in vain."""
        bot = Account(int(token.partition(":")[0]), "贴心", username="tiexin_test_bot", is_bot=True)
        self.world = World(self.clock, self.limits, bot, random.Random(seed))
        self.calls: list[Call] = []
        self._people: dict[int, Person] = {}
        self._script: list[_Scripted] = []
        self._courier = Courier(self.world, lambda method, params: self._run(method, params, "reply"))
        self._poller = Poller(self.world)
        self.world.updates.on_new = self._on_new
        self._port = port
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application(client_max_size=self.limits.upload_bytes + 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/documents/{file_id}", self._download)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        await self._courier.start()
        if isinstance(self.clock, VirtualClock):
            self.clock.settles.append(self.settled)

    async def stop(self) -> None:
        if isinstance(self.clock, VirtualClock) and self.settled in self.clock.settles:
            self.clock.settles.remove(self.settled)
        self._closing.set()
        self._poller.close()
        await self._courier.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> FakeTelegram:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`, as aiogram's TelegramAPIServer.from_base takes it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """The address up to the token, as python-telegram-bot's `base_url` takes it."""
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        return f"{self.url}/file/bot"

    # -- people ----------------------------------------------------------------------------------------------

    def user(
        self, id: int, first_name: str = "王芳", language_code: str | None = "zh", username: str | None = None
    ) -> Person:
        """The person with this id; made on the first call."""
        if id not in self._people:
            account = Account(id, first_name, language_code, username)
            room = Chat(id, "private", first_name, account)
            self.world.accounts[id], self.world.chats[id] = account, room
            self._people[id] = Person(self, account, room)
        return self._people[id]

    def group(self, id: int, title: str, *people: Person, privacy: bool = True) -> Group:
        """A group with these people and the bot; its id is negative."""
        room = Chat(id, "group", title, members={person.id for person in people}, privacy=privacy)
        self.world.chats[id] = room
        return Group(self, room)

    async def moment(self) -> None:
        if self.clock.virtual and self.pace:
            await self.advance(self.pace)

    async def after_act(self, wait: bool) -> None:
        if wait and self.clock.virtual:
            await self.settled()

    # -- misfortune ------------------------------------------------------------------------------------------

    def script(self, fault: Fault, *, method: str | None = None, chat: int | None = None, times: int = 1) -> None:
        """Let this happen to the next `times` calls of this method to this chat (or to any)."""
        self._script.append(_Scripted(fault, method, chat, times))

    def repeat_next(self, times: int = 1) -> None:
        """Deliver the next update once more, though it was acknowledged and its reply carried out."""
        self._courier.repeat_next += times

    def lose_next_reply(self, times: int = 1) -> None:
        """Lose the webhook's next good reply on the way: nothing is carried out, the update comes again."""
        self._courier.lose_next += times

    # -- what happened ---------------------------------------------------------------------------------------

    def called(self, method: str) -> list[Call]:
        """The calls of one method, in the documentation's spelling."""
        return [call for call in self.calls if call.method == method]

    @property
    def is_asked(self) -> bool:
        """Whether a bot without a webhook waits for updates now."""
        return self._poller.asked

    @property
    def attempts(self) -> list[Attempt]:
        """Every try to reach the webhook."""
        return self._courier.attempts

    @property
    def dropped(self) -> list[Dropped]:
        """The updates that died undelivered."""
        self.world.updates.waiting()
        return self.world.updates.dropped

    @property
    def refused(self) -> int:
        """How many calls drew a 429 from the budgets."""
        return self.world.budgets.refused

    async def advance(self, seconds: float, *, settle: bool = True) -> None:
        """Move the virtual clock; see `VirtualClock.advance`."""
        if not isinstance(self.clock, VirtualClock):
            raise AssertionError("nobody moves a real clock")
        await self.clock.advance(seconds, settle=settle)

    async def settled(self) -> None:
        """Wait until the bot has dealt with everything it was told and that is due."""
        await self.until(
            lambda: self._courier.at_rest and (self.world.webhook is not None or self._poller.at_rest), "rest"
        )

    async def until(self, true: Callable[[], bool], what: str, patience: float | None = None) -> None:
        """Wait until `true()`. Raises AssertionError after `patience` real seconds."""
        changed = asyncio.Event()
        self.world.watch(changed.set)
        try:
            async with asyncio.timeout(self.patience if patience is None else patience):
                while not true():
                    changed.clear()
                    # Not everything a test waits for happens here, so look now and then as well.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), 0.01)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}") from None
        finally:
            self.world.unwatch(changed.set)

    # -- the protocol ----------------------------------------------------------------------------------------

    def _on_new(self) -> None:
        self._courier.pump()
        self._poller.wake()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        if not _TOKEN.fullmatch(token):
            return _refusal(ApiError(404, "Not Found"))
        if token != self.token:
            return _refusal(ApiError(401, "Unauthorized"))
        try:
            params = await read_request(request)
        except Wrong as wrong:
            return _refusal(bad_request(str(wrong)))
        method = request.match_info["method"]
        if method.lower() == "getupdates":
            return await self._poll(params)
        call, ending = self._run(method, params, "request")
        if ending == "hang":
            await self._closing.wait()
        if ending in {"hang", "drop"}:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if ending == "gateway":
            page = "<html><head><title>502 Bad Gateway</title></head></html>"
            return web.Response(status=502, text=page, content_type="text/html")
        return _reply(call)

    async def _poll(self, params: Params) -> web.StreamResponse:
        # An unanswered poll is not worth a line among the calls: it happens all day.
        fault = self._misfortune("getUpdates", params)
        if fault is not None and fault.error is not None:
            return _refusal(fault.error)
        try:
            return web.json_response({"ok": True, "result": await self._poller.get_updates(params)})
        except ApiError as error:
            return _refusal(error)

    def _run(
        self, method: str, params: Params, via: Literal["request", "reply"]
    ) -> tuple[Call, Literal["answer", "drop", "hang", "gateway"]]:
        """Carry out one call and write it down."""
        name = _SPELLING.get(method.lower(), method)
        fault = self._misfortune(name, params)
        now, result, description = self.clock.now(), None, ""
        status = 200
        error: ApiError | None = None
        try:
            if name not in _METHODS:
                raise ApiError(404, "Not Found: method not found")
            if fault is None or fault.accepted:
                result = _METHODS[name](self.world, params)
        except ApiError as refusal:
            error = refusal
        if fault is not None and fault.error is not None:
            error = fault.error
        if isinstance(result, tuple):
            result, description = result
        if error is not None:
            status, description, result = error.code, error.description, error.as_json()
        call = Call(name, params, now, via, result, status, description)
        self.calls.append(call)
        if name in {"setWebhook", "deleteWebhook"}:
            self._on_new()
        self.world.changed()
        return call, fault.ending if fault is not None else "answer"

    def _misfortune(self, method: str, params: Params) -> Fault | None:
        for entry in self._script:
            if entry.meets(method, params):
                entry.times -= 1
                if entry.times <= 0:
                    self._script.remove(entry)
                return entry.fault
        return None

    async def _download(self, request: web.Request) -> web.StreamResponse:
        document = self.world.files.get(request.match_info["file_id"])
        if document is None or request.match_info["token"] != self.token:
            return _refusal(ApiError(404, "Not Found"))
        return web.Response(body=document.upload.content)


def _refusal(error: ApiError) -> web.StreamResponse:
    headers = (
        {"Retry-After": str(error.parameters["retry_after"])} if error.code == 429 and error.parameters else None
    )
    return web.json_response(error.as_json(), status=error.code, headers=headers)


def _reply(call: Call) -> web.StreamResponse:
    if call.status != 200:
        parameters = call.result.get("parameters") if isinstance(call.result, dict) else None
        return _refusal(ApiError(call.status, call.description, parameters))
    body: Json = {"ok": True, "result": call.result}
    if call.description:
        body["description"] = call.description
    return web.json_response(body)
