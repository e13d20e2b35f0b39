"""member: who belongs to us, and how are they let in and let go?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from bot.cli.door import NothingDone, asks, day, door, table
from bot.cli.member_import import import_
from bot.cli.nouns import noun
from bot.cli.slips import codes

app = noun("People: look up, add, change, let in, let go.")
app.command("import")(import_)
app.command()(codes)

FIELDS = ("name", "kind", "gender", "born", "admitted", "confirmed", "phone", "email")


@app.command("list")
def list_(
    ctx: typer.Context,
    scope: str = typer.Argument("all", metavar="SCOPE", help="all, org:NAME, kind:正式党员, role:secretary …"),
    left: bool = typer.Option(False, help="Those who have left instead."),
) -> None:
    """Show who a scope means."""
    from bot.parts import now
    from handlers.organisation import members
    from storage import addresses, organisations
    from storage.rosters import batches

    here = door(ctx)
    with here.read() as tx:
        found = members.listed(tx, now(), here.actor(tx), written=scope, left=left)
        names = {org.id: org.name for org in organisations.all_of(tx, closed=True)}
        bound: dict[int, Any] = {}
        for some in batches([person.id for person in found], 500):
            bound |= addresses.of_people(tx, some)
    rows: list[dict[str, Any]] = [
        {
            "number": person.number, "name": person.name, "kind": person.kind, "org": names[person.organisation_id],
            "channels": [b.address.channel for b in bound.get(person.id, [])], "left_on": person.left_on,
        }
        for person in found
    ]  # fmt: skip
    headings = ("number", "name", "kind", "organisation", "bound", *(("left",) if left else ()))

    def text() -> str:
        cells = [
            (r["number"], r["name"], r["kind"], r["org"], ",".join(r["channels"]), *((r["left_on"],) if left else ()))
            for r in rows
        ]
        return table(headings, cells)

    here.show(rows, text)


@app.command()
def show(ctx: typer.Context, number: str = typer.Argument(metavar="员工号")) -> None:
    """Show somebody: branch, kind, offices, bound chats."""
    from bot.parts import now
    from handlers.organisation import members
    from handlers.rights import Right

    here, moment = door(ctx), now()
    with here.read() as tx:
        actor = here.actor(tx)
        card = members.card(tx, moment, actor, members.one(tx, moment, actor, Right.ROSTER, number))
    person = card.person
    data: dict[str, object] = {
        "number": person.number, "name": person.name, "kind": person.kind, "path": card.path, "gender": card.gender,
        "admitted": card.admitted, "confirmed": card.confirmed, **card.private,
        "offices": [{"role": held.role, "org": held.org.name, "since": held.since} for held in card.offices],
        "channels": list(card.channels), "left_on": person.left_on,
    }  # fmt: skip
    shown = {
        **data,
        "offices": "、".join(f"{h.org.name}{h.role}" for h in card.offices),
        "channels": ", ".join(card.channels),
    }
    here.show(data, lambda: table(("", ""), [(k, v) for k, v in shown.items() if v]).lstrip("\n"))


@app.command()
def add(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号"),
    name: str = typer.Argument(metavar="姓名"),
    branch: str = typer.Option(..., "--branch", "--org", help="Their organisation: name, path or code."),
    kind: str = typer.Option(..., help="正式党员, 预备党员, 发展对象, 入党积极分子, 入党申请人 or 群众."),
    gender: str = typer.Option(""),
    born: str = typer.Option(""),
    admitted: str = typer.Option("", help="入党日期"),
    confirmed: str = typer.Option("", help="转正日期"),
    phone: str = typer.Option(""),
    email: str = typer.Option(""),
) -> None:
    """Add somebody."""
    from bot.parts import now
    from handlers.organisation import members
    from handlers.roster.desk import columns
    from handlers.scope import one_org

    here = door(ctx)
    given = (("number", number), ("name", name), ("kind", kind), ("gender", gender), ("born", born))
    more = (("admitted", admitted), ("confirmed", confirmed), ("phone", phone), ("email", email))
    written = {field: text for field, text in (*given, *more) if text}
    with here.write() as tx:
        new = members.add(tx, now(), here.actor(tx), one_org(tx, branch), columns(tx), written)
    here.show({"number": new.number, "name": new.name, "kind": new.kind}, f"{new.name} ({new.number}) is added")


@app.command()
def edit(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号"),
    branch: str | None = typer.Option(None, "--branch", "--org", help="Move them there."),
    name: str | None = typer.Option(None),
    kind: str | None = typer.Option(None),
    gender: str | None = typer.Option(None),
    born: str | None = typer.Option(None),
    admitted: str | None = typer.Option(None),
    confirmed: str | None = typer.Option(None),
    phone: str | None = typer.Option(None),
    email: str | None = typer.Option(None),
    returned: bool = typer.Option(False, "--returned", help="They had left, and are back."),
) -> None:
    """Change what is known of somebody; an empty value ("") takes it away."""
    from bot.parts import now
    from handlers.organisation import members
    from handlers.rights import Right
    from handlers.roster.desk import columns
    from handlers.scope import one_org

    here, moment = door(ctx), now()
    values = (name, kind, gender, born, admitted, confirmed, phone, email)
    written = {field: text for field, text in zip(FIELDS, values, strict=True) if text is not None}
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.MEMBER, number)
        org = one_org(tx, branch) if branch else None
        changed = members.edit(tx, moment, actor, person, columns(tx), written, org=org, returned=returned)
    changed = ["branch" if field == "organisation_id" else field.removesuffix("_on") for field in changed]
    said = f"{person.name} ({person.number}): {', '.join(changed)} changed"
    here.show({"number": person.number, "changed": changed}, said)


@app.command()
def leave(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号"),
    on: str = typer.Option("", help="The day in the papers; today if not given."),
) -> None:
    """Somebody has left: codes, chats, sessions and offices end, nothing more is sent."""
    from bot.parts import now
    from handlers.organisation import members
    from handlers.rights import Right

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.MEMBER, number)
        left = members.leave(tx, moment, actor, person, day(on) if on else None)
    ended = [f"{held.org.name}{held.role}" for held in left.offices]
    data = {
        "number": person.number, "left_on": left.person.left_on, "addresses": left.addresses,
        "sessions": left.sessions, "offices": ended, "unsaid": left.unsaid,
    }  # fmt: skip
    said = (
        f"{person.name} ({person.number}) has left on {left.person.left_on}: {left.addresses} chats, "
        f"{left.sessions} sessions and {len(ended)} offices ended, {left.unsaid} messages not sent"
    )
    here.show(data, said)


@app.command()
def code(ctx: typer.Context, number: str = typer.Argument(metavar="员工号")) -> None:
    """Issue a binding code. It is shown this once; earlier ones become worthless."""
    from bot.parts import now
    from handlers.binding import desk as binding
    from handlers.binding.codes import spaced
    from handlers.organisation import members
    from handlers.rights import Right

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.CODE, number)
        new = spaced(binding.issue(tx, moment, actor, person))
    until = (moment + binding.LIFE).astimezone(here.config.org.zone)
    data = {"number": person.number, "name": person.name, "code": new, "until": until.isoformat()}
    here.show(data, f"{person.name} ({person.number}): {new}, good until {until:%Y-%m-%d %H:%M}, once")


@app.command()
def unbind(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号"),
    channel: str = typer.Option("", help="Only of this channel, such as telegram."),
) -> None:
    """Release somebody's chats, say of a lost phone."""
    from bot.parts import now
    from handlers.organisation import members
    from handlers.rights import Right

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.CODE, number)
        released = [address.channel for address in members.unbind(tx, moment, actor, person, channel)]
    said = f"{person.name} ({person.number}): released {', '.join(released)}"
    here.show({"number": person.number, "released": released}, said)


@app.command()
def export(
    ctx: typer.Context,
    file: Path | None = typer.Argument(None, metavar="FILE.xlsx"),
    out: Path | None = typer.Option(None, "--out", help="The same."),
    org: str = typer.Option("", help="Only there and below."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace a file that is there."),
) -> None:
    """Write the roster to a spreadsheet that can be imported again, readable by its owner only."""
    from bot.cli.files import write_private
    from bot.parts import now
    from handlers.organisation.export import export as exported
    from handlers.roster.desk import columns
    from handlers.scope import one_org

    here, target = door(ctx), file or out
    if target is None:
        raise typer.BadParameter("say which file to write", param_hint="FILE.xlsx")
    if target.exists() and not overwrite and not (asks() and typer.confirm(f"Replace {target}?", err=True)):
        raise NothingDone(f"{target} is there already; --overwrite replaces it")
    with here.write() as tx:  # that it was taken out is written down
        data = exported(tx, now(), here.actor(tx), columns(tx), one_org(tx, org) if org else None)
    write_private(target, data)
    here.show({"file": str(target), "bytes": len(data)}, f"Written: {target}")
