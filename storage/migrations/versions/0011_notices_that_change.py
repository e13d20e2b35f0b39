"""Notices that change"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("edited_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("recalled", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("attachments", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("notice", schema=None) as batch_op:  # the defaults were for the rows that were there
        batch_op.alter_column("recalled", server_default=None)
        batch_op.alter_column("attachments", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_column("attachments")
        batch_op.drop_column("recalled")
        batch_op.drop_column("edited_at")
