"""main: how does one play with a bot by hand, without Telegram?

    python -m tests.fakes.telegram --port 8081

Then point the bot at http://127.0.0.1:8081 and type, one act a line:

    1001 /start            the person 1001 presses Start
    1001 投票              … says something
    1001 tap 赞成          … presses a button
    1001 block             … blocks the bot
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence

from tests.fakes.telegram import TOKEN, FakeTelegram, Message, Person, RealClock


class Screen:
    """Prints what is new in everybody's chats."""

    def __init__(self, telegram: FakeTelegram) -> None:
        self._telegram = telegram
        self._shown: dict[int, str] = {}

    def refresh(self) -> None:
        for chat_id, room in self._telegram.world.chats.items():
            text = self._telegram.user(chat_id).transcript() if not room.is_group else ""
            if text and text != self._shown.get(chat_id) and _is_answered(room.lines[-1:]):
                print(f"--- {chat_id}\n{text}", flush=True)
            self._shown[chat_id] = text


def _is_answered(newest: Sequence[object]) -> bool:
    """Is the newest line the bot's? One's own words need not be read back."""
    return not any(isinstance(line, Message) and not line.from_bot for line in newest)


async def act(person: Person, words: str) -> None:
    """Do what one line says."""
    verb, _, rest = words.partition(" ")
    if verb == "/start":
        await person.start(rest)
    elif verb == "tap":
        await person.taps(rest)
    elif verb == "block":
        await person.blocks()
    else:
        await person.says(words)


async def play(port: int, token: str) -> None:
    """Read lines until the input ends."""
    async with FakeTelegram(token=token, clock=RealClock(), port=port) as telegram:
        screen = Screen(telegram)
        telegram.world.watch(screen.refresh)
        print(f"The Bot API is at {telegram.url}, the token is {telegram.token}", flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            who, _, words = line.strip().partition(" ")
            if not who.isdigit() or not words:
                print("a line is: who (a number), a space, what", flush=True)
                continue
            try:
                await act(telegram.user(int(who)), words)
            except AssertionError as wrong:
                print(wrong, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.telegram", description="A Bot API to play with.")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", default=TOKEN)
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(play(options.port, options.token))


if __name__ == "__main__":
    main()
