"""Mails: what we have written, what has come in, which addresses are offered"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sqlmodel.sql.sqltypes.AutoString(length=length)


def _moment() -> sqlmodel.sql.sqltypes.UTCDateTime:
    return sqlmodel.sql.sqltypes.UTCDateTime()


def upgrade() -> None:
    op.create_table(
        "mail_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("key", _text(120), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("thread", _text(60), nullable=False),
        sa.Column("language", _text(5), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", _text(10), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _moment(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_mail_letter_delivery_id_delivery")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mail_letter_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_letter")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_mail_letter_delivery_id")),
        sa.UniqueConstraint("tag", name=op.f("uq_mail_letter_tag")),
    )
    with op.batch_alter_table("mail_letter", schema=None) as batch_op:
        batch_op.create_index("ix_mail_letter_work", ["state", "due_at"], unique=False)
        for name in ("person_id", "key", "created_at"):
            batch_op.create_index(batch_op.f(f"ix_mail_letter_{name}"), [name], unique=False)
    op.create_table(
        "mail_seen",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_mail_seen")),
    )
    op.create_index(op.f("ix_mail_seen_day"), "mail_seen", ["day"], unique=False)
    op.create_table(
        "mail_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", _text(120), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("verdict", _text(12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_return")),
    )
    op.create_index(op.f("ix_mail_return_key"), "mail_return", ["key"], unique=False)
    op.create_table(
        "mail_count",
        sa.Column("key", _text(120), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "hour", name=op.f("pk_mail_count")),
    )
    op.create_table(
        "mail_quiet",
        sa.Column("key", _text(120), nullable=False),
        sa.Column("since", _moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_quiet")),
    )
    op.create_table(
        "mail_offer",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("key", _text(120), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", _moment(), nullable=False),
        sa.Column("used_at", _moment(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mail_offer_person_id_person")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_mail_offer")),
    )
    op.create_index(op.f("ix_mail_offer_person_id"), "mail_offer", ["person_id"], unique=False)


def downgrade() -> None:
    for table in ("mail_offer", "mail_quiet", "mail_count", "mail_return", "mail_seen", "mail_letter"):
        op.drop_table(table)
