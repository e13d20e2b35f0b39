"""Banks of questions, examinations, and the papers that people write"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quiz_bank",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("digest", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_quiz_bank_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_bank")),
    )
    with op.batch_alter_table("quiz_bank", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quiz_bank_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "examination",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("category", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("scope", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("pass_mark", sa.Integer(), nullable=True),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("seed", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("sheet", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("opens_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("closes_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("closed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_examination_author_id_person")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_examination_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examination")),
    )
    with op.batch_alter_table("examination", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_examination_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_examination_state"), ["state"], unique=False)

    op.create_table(
        "pending_quiz",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pending_quiz_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_pending_quiz")),
    )
    with op.batch_alter_table("pending_quiz", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_quiz_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "quiz_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("category", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("gift", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["quiz_bank.id"], name=op.f("fk_quiz_question_bank_id_quiz_bank")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_question")),
        sa.UniqueConstraint("bank_id", "key", name=op.f("uq_quiz_question_bank_id")),
    )
    with op.batch_alter_table("quiz_question", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quiz_question_category"), ["category"], unique=False)

    op.create_table(
        "examination_roll",
        sa.Column("examination_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["examination_id"], ["examination.id"], name=op.f("fk_examination_roll_examination_id_examination")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_examination_roll_person_id_person")),
        sa.PrimaryKeyConstraint("examination_id", "person_id", name=op.f("pk_examination_roll")),
    )
    with op.batch_alter_table("examination_roll", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_examination_roll_person_id"), ["person_id"], unique=False)

    op.create_table(
        "quiz_paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("examination_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("seed", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("sheet", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("answers", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("started_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("handed_in_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("handed_in_by", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("score", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["examination_id"], ["examination.id"], name=op.f("fk_quiz_paper_examination_id_examination")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_quiz_paper_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_paper")),
        sa.UniqueConstraint("examination_id", "person_id", name=op.f("uq_quiz_paper_examination_id")),
    )
    with op.batch_alter_table("quiz_paper", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quiz_paper_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("quiz_paper", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quiz_paper_person_id"))

    op.drop_table("quiz_paper")
    with op.batch_alter_table("examination_roll", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_examination_roll_person_id"))

    op.drop_table("examination_roll")
    with op.batch_alter_table("quiz_question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quiz_question_category"))

    op.drop_table("quiz_question")
    with op.batch_alter_table("pending_quiz", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pending_quiz_expires_at"))

    op.drop_table("pending_quiz")
    with op.batch_alter_table("examination", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_examination_state"))
        batch_op.drop_index(batch_op.f("ix_examination_organisation_id"))

    op.drop_table("examination")
    with op.batch_alter_table("quiz_bank", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quiz_bank_organisation_id"))

    op.drop_table("quiz_bank")
