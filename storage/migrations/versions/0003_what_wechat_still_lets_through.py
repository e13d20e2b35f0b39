"""What WeChat still lets through: tokens, windows, credits, paths, receipts, rests"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sqlmodel.sql.sqltypes.AutoString(length=length)


def upgrade() -> None:
    moment = sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "api_token",
        sa.Column("name", _text(120), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", moment(), nullable=False),
        sa.Column("owner", _text(40), nullable=False),
        sa.Column("lease_until", moment(), nullable=False),
        sa.Column("dropped", sa.LargeBinary(), nullable=False),
        sa.Column("came_back", sa.Boolean(), nullable=False),
        sa.Column("forced_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_token")),
    )
    op.create_table(
        "receipt",
        sa.Column("channel", _text(20), nullable=False),
        sa.Column("ref", _text(60), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("status", _text(60), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "ref", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_at"), "receipt", ["at"], unique=False)
    op.create_index(op.f("ix_receipt_delivery_id"), "receipt", ["delivery_id"], unique=False)
    op.create_table(
        "rest",
        sa.Column("channel", _text(20), nullable=False),
        sa.Column("key", _text(120), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "key", name=op.f("pk_rest")),
    )
    op.create_index(op.f("ix_rest_at"), "rest", ["at"], unique=False)
    op.create_table(
        "send_credit",
        sa.Column("channel", _text(20), nullable=False),
        sa.Column("key", _text(120), nullable=False),
        sa.Column("template", _text(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "key", "template", name=op.f("pk_send_credit")),
    )
    op.create_table(
        "send_path",
        sa.Column("channel", _text(20), nullable=False),
        sa.Column("path", _text(20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("shut_until", moment(), nullable=False),
        sa.Column("reason", _text(60), nullable=False),
        sa.PrimaryKeyConstraint("channel", "path", name=op.f("pk_send_path")),
    )
    op.create_table(
        "send_window",
        sa.Column("channel", _text(20), nullable=False),
        sa.Column("key", _text(120), nullable=False),
        sa.Column("said_at", moment(), nullable=False),
        sa.Column("said_left", sa.Integer(), nullable=False),
        sa.Column("tapped_at", moment(), nullable=False),
        sa.Column("tapped_left", sa.Integer(), nullable=False),
        sa.Column("moved_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "key", name=op.f("pk_send_window")),
    )


def downgrade() -> None:
    for table in ("send_window", "send_path", "send_credit", "rest", "receipt", "api_token"):
        op.drop_table(table)
