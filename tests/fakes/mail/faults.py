"""faults: what may a mail server answer, and what may go wrong on the line?

Codes and enhanced codes are those of RFC 5321 and RFC 3463. The answers of QQ and 163 are written after their
public help pages: they have no enhanced code, and a reason in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

At = Literal["connect", "auth", "sender", "recipient", "dot"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One SMTP answer. `status` is the enhanced code, and empty where a server gives none."""

    code: int
    status: str = ""
    text: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.status, self.text) if part)

    @property
    def passing(self) -> bool:
        """Whether asking again later may help."""
        return 400 <= self.code < 500


OK = Answer(250, "2.0.0", "Ok: queued")
CLOSING = Answer(421, "4.3.2", "Service not available, closing transmission channel")
BUSY = Answer(450, "4.2.1", "Mailbox temporarily unavailable")
GREYLISTED = Answer(451, "4.7.1", "Greylisted, please try again later")
LOCAL_ERROR = Answer(451, "4.3.0", "Local error in processing")
FULL_FOR_NOW = Answer(452, "4.2.2", "Mailbox full")
FULL = Answer(552, "5.2.2", "Mailbox full")
NO_SUCH_USER = Answer(550, "5.1.1", "User unknown in virtual mailbox table")
NOT_ALLOWED = Answer(550, "5.7.1", "Message rejected by policy")
SPAM = Answer(554, "5.7.1", "Message looks like spam")
TOO_BIG = Answer(552, "5.3.4", "Message size exceeds fixed limit")
LOGIN_NEEDED = Answer(530, "5.7.0", "Authentication required")
LOGIN_WRONG = Answer(535, "5.7.8", "Authentication credentials invalid")
QQ_NO_SUCH_USER = Answer(550, text="Mailbox unavailable or access denied")
QQ_TOO_OFTEN = Answer(550, text="Domain frequency limited")
NETEASE_NO_SUCH_USER = Answer(550, text="User not found")
NETEASE_SPAM = Answer(554, text="DT:SPM 163 mx1,please see the page about rejected mails")
NETEASE_BUSY = Answer(421, text="HL:REP 163 mx1,too many connections")


@dataclass(frozen=True, slots=True)
class Fault:
    """A misfortune written into the script: it meets the next matching dialogue.

    at: the moment; `dot` is the end of the mail.
    answer: what is said then; None goes on as usual, or breaks the line if `breaks`.
    accepted: whether the mail is kept although the line breaks at the dot.
    copies, delay: how many times it arrives, and how many seconds later.
    """

    at: At = "recipient"
    answer: Answer | None = None
    breaks: bool = False
    accepted: bool = False
    hangs: bool = False
    copies: int = 1
    delay: float = 0.0


def answers(answer: Answer, at: At = "recipient") -> Fault:
    """This answer at that moment."""
    return Fault(at, answer)


def breaks_before_the_dot() -> Fault:
    """The line breaks while the mail is on it: nothing has arrived."""
    return Fault("dot", breaks=True)


def breaks_after_the_dot(*, accepted: bool = True) -> Fault:
    """The mail is complete and the 250 is lost: it has arrived, or has not, and the sender cannot know."""
    return Fault("dot", breaks=True, accepted=accepted)


def hangs(at: At = "dot") -> Fault:
    """No answer ever comes; the sender runs into its own time-out."""
    return Fault(at, hangs=True)


def twice() -> Fault:
    """A mail that was sent once arrives twice."""
    return Fault("dot", copies=2)


def late(seconds: float) -> Fault:
    """The mail is accepted now and stands in the mailbox only later."""
    return Fault("dot", delay=seconds)
