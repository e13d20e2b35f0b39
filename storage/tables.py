"""Every table there is, for the migrations."""

from __future__ import annotations

from sqlmodel import SQLModel

from storage import (  # noqa: F401 - imported so that their tables are known
    addresses,
    applications,
    audit,
    banks,
    campaigns,
    cards,
    contacts,
    dialogues,
    files,
    mailbox,
    mails,
    notices,
    offices,
    organisations,
    people,
    polls,
    preferences,
    quizzes,
    rates,
    receipts,
    reminders,
    reports,
    rests,
    rosters,
    settings,
    signin,
    tokens,
    web,
    windows,
    writings,
)

METADATA = SQLModel.metadata
