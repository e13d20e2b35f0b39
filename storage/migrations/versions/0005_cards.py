"""Cards"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "card",
        sa.Column("task_id", text(length=60), nullable=False),
        sa.Column("key", text(length=120), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=True),
        sa.Column("code_until", moment(), nullable=True),
        sa.Column("msgid", sa.LargeBinary(), nullable=True),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("booked", sa.Boolean(), nullable=False),
        sa.Column("doubt", sa.Boolean(), nullable=False),
        sa.Column("due_at", moment(), nullable=False),
        sa.Column("made_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_card")),
        sa.UniqueConstraint("delivery", name=op.f("uq_card_delivery")),
    )
    op.create_index(op.f("ix_card_waiting"), "card", ["waiting"], unique=False)
    op.create_index(op.f("ix_card_made_at"), "card", ["made_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_card_made_at"), table_name="card")
    op.drop_index(op.f("ix_card_waiting"), table_name="card")
    op.drop_table("card")
