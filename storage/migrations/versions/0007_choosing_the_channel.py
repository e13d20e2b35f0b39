"""Choosing the channel: an order of channels for each person, a place in it for each delivery, polls on people"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preference",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("channels", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_preference_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_preference")),
    )
    op.add_column("delivery", sa.Column("rank", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_delivery_standby",
        "delivery",
        ["state", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'standby'"),
        postgresql_where=sa.text("state = 'standby'"),
    )
    op.add_column("poll", sa.Column("on_people", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(
        "UPDATE poll SET on_people = true WHERE EXISTS (SELECT 1 FROM poll_option JOIN person"
        " ON person.name = poll_option.label WHERE poll_option.poll_id = poll.id)"
    )


def downgrade() -> None:
    # Nobody is told twice by a program that knows no order: what stands by is not sent.
    op.execute("UPDATE delivery SET state = 'skipped', reason = 'stood by' WHERE state = 'standby'")
    with op.batch_alter_table("poll", schema=None) as batch_op:
        batch_op.drop_column("on_people")
    op.drop_index("ix_delivery_standby", table_name="delivery")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("rank")
    op.drop_table("preference")
