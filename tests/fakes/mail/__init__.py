"""mail: what does the world of mail do to a house, on a bad day too?

    async with FakeMail("party.example") as mail:
        # we send to mail.host, mail.smtp_port; ours is whatever ends with @party.example
        mail.brings_to("127.0.0.1", our_lmtp_port)         # or leave it, and read mail.hosted by IMAP
        wang = mail.person("wangfang@qq.com", "王芳")
        await wang.replies(wang.last, "1", program="foxmail")
        await wang.presses(wang.last, "去投票")             # opens the link, presses the page's button
        mail.attempts[-1].answer                            # "250 …": what our LMTP port said

Time is virtual unless a RealClock is given: `await mail.advance(300)` makes every retry that falls due.
Machines: `wang.robot = ROBOTS["qq"]` answers in her name; `wang.mailbox.bounces = ("qq", NO_SUCH_USER)`
sends everything back.
Misfortune is scripted: `mail.script(breaks_after_the_dot(), to=wang.address)`, `mail.script_lmtp("after_dot")`;
or it lasts: `wang.mailbox.answer = FULL`.
"""

from __future__ import annotations

from tests.fakes.mail.bounces import BOUNCES
from tests.fakes.mail.browser import Browser, Page, Scanner
from tests.fakes.mail.certificate import client_context
from tests.fakes.mail.faults import (
    Answer,
    Fault,
    answers,
    breaks_after_the_dot,
    breaks_before_the_dot,
    hangs,
    late,
    twice,
)
from tests.fakes.mail.model import Attempt, Mail, Mailbox
from tests.fakes.mail.mx import Origin, honest, unsigned
from tests.fakes.mail.people import Person
from tests.fakes.mail.programs import PROGRAMS
from tests.fakes.mail.robots import ROBOTS, Robotic
from tests.fakes.mail.server import FakeMail

__all__ = [
    "BOUNCES",
    "PROGRAMS",
    "ROBOTS",
    "Answer",
    "Attempt",
    "Browser",
    "FakeMail",
    "Fault",
    "Mail",
    "Mailbox",
    "Origin",
    "Page",
    "Person",
    "Robotic",
    "Scanner",
    "answers",
    "breaks_after_the_dot",
    "breaks_before_the_dot",
    "client_context",
    "hangs",
    "honest",
    "late",
    "twice",
    "unsigned",
]
