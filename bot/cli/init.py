"""init: how does a house begin?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli.door import Door, Wrong, asks, door
from bot.cli.tables import migrate

if TYPE_CHECKING:
    from datetime import datetime

    from storage.house import Tx
    from storage.people import Somebody

NAME = "党委"
"""What the uppermost organisation is called while nobody has said; `org rename` changes it."""


def init(
    ctx: typer.Context,
    name: str = typer.Option("", help="The name of the uppermost organisation."),
    secretary: str = typer.Option("", metavar="员工号:姓名", help="Its first secretary."),
) -> None:
    """Make the key, the tables, the uppermost organisation and its secretary; safe to run again."""
    from bot.parts import now
    from handlers.quizzes import banking
    from storage.keys import Keys

    here, moment = door(ctx), now()
    number, _, person = secretary.replace("：", ":").partition(":")
    if secretary and not (number.strip() and person.strip()):
        raise typer.BadParameter("write 员工号:姓名, such as 10001:李红", param_hint="--secretary")
    config = here.config
    new_key = not config.security.key_file.exists()
    if new_key and _has_people(config.database.url):
        raise Wrong(f"security.key_file: {config.security.key_file} is missing, and the database was sealed with it; "
                    "put it back")  # fmt: skip
    Keys.from_file(config.security.key_file)
    copy = migrate(config.database.url, moment, postgres=True)
    done = {"key": str(config.security.key_file), "new_key": new_key, "copy": str(copy) if copy else None}
    with here.write() as tx:
        done |= _begin(here, tx, moment, name, number.strip(), person.strip())
    with here.write() as tx:
        banking.shipped(tx, moment)
    here.show(done, lambda: _told(done))


def _has_people(url: str) -> bool:
    """Whether there are tables already."""
    from storage.database import revisions

    return revisions(url)[0] is not None


def _begin(here: Door, tx: Tx, now: datetime, name: str, number: str, person: str) -> dict[str, object]:
    """The uppermost organisation and its secretary, where they are not there yet."""
    from handlers.organisation import desk
    from storage import organisations

    actor = here.actor(tx)
    root = next((org for org in organisations.all_of(tx) if org.parent_id is None), None)
    if root is None:
        named = name or here.config.org.name
        if not named and asks():
            named = typer.prompt("The name of the uppermost organisation", default=NAME, err=True)
        root = desk.add(tx, now, actor, name=named or NAME, parent=None)
    role = "支部书记" if root.kind == "党支部" else "党委书记"
    held = [who for office, who in desk.holders(tx, now, actor, root) if office.role == role and office.org == root]
    if not held and not number and asks():
        number = typer.prompt(f"Employee number of its {role} (empty: later, by import)", default="", err=True)
        person = typer.prompt("Name", err=True) if number else ""
    if number and not any(one.number == number for one in held):
        held.append(_secretary(here, tx, now, number, person, role, root.id))
    return {
        "organisation": {"code": root.code, "name": root.name, "kind": root.kind},
        "secretary": [{"number": one.number, "name": one.name, "role": role} for one in held],
    }


def _secretary(here: Door, tx: Tx, now: datetime, number: str, name: str, role: str, org_id: int) -> Somebody:
    from handlers.organisation import desk, members
    from handlers.roster.desk import columns
    from storage import organisations, people

    actor, org, aliases = here.actor(tx), organisations.get(tx, org_id), columns(tx)
    known = people.by_number(tx, number)
    if known and known.name != name:
        raise Wrong(f"--secretary {number}: this number belongs to somebody of another name")
    known = known or members.add(tx, now, actor, org, aliases, {"number": number, "name": name, "kind": "正式党员"})
    desk.appoint(tx, now, actor, known, org, role, aliases)
    return known


def _told(done: dict[str, object]) -> str:
    org, secretary = done["organisation"], done["secretary"]
    assert isinstance(org, dict)
    assert isinstance(secretary, list)
    lines = [f"Key: {done['key']}{' (new; keep a copy of it in a safe place)' if done['new_key'] else ''}"]
    if done["copy"]:
        lines.append(f"Copy of the tables before: {done['copy']}")
    lines.append(f"Organisation: {org['name']} ({org['code']})")
    if secretary:
        lines += [f"{one['role']}: {one['name']} ({one['number']})" for one in secretary]
        lines.append(
            f"Next: tiexin org add, tiexin member import, tiexin member code {secretary[0]['number']}, tiexin serve"
        )
    else:
        lines.append("Nobody is its secretary yet: tiexin org add, then tiexin member import, or init --secretary")
    return "\n".join(lines)
