"""demo: what is there to see, before anything is set up?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.cli.demo_affairs import add_affairs
from bot.cli.demo_people import BRANCHES, PERSONAS, ROOT, residents
from bot.cli.demo_writings import add_writings
from bot.cli.door import NothingDone
from bot.cli.tables import migrate

if TYPE_CHECKING:
    from datetime import datetime

    from bot.config import Config
    from bot.parts import App
    from bot.server import Persona
    from storage.house import Tx

FOLDER = Path("var/demo")
FURNISHED = "demo.furnished"
LINK_DAYS = 3650
TRAVELLER = "10003"
MAILBOX = "demo.mailbox"


def demo(
    port: int = typer.Option(8080, min=0, max=65535, help="The port on this machine."),
    folder: Path = typer.Option(FOLDER, help="Where the demonstration is kept."),
    only_create: bool = typer.Option(False, "--only-create", help="Create it, and do not serve."),
) -> None:
    """Serve a demonstration: 166 invented people in five branches. Safe to run again; what is there is kept."""
    import logging

    from bot.app import build
    from bot.logs import configure
    from bot.parts import now
    from bot.serve import AlreadyServing, run
    from storage.keys import Keys

    configure(level=logging.WARNING)
    config = settings(folder, port)
    Keys.from_file(config.security.key_file)
    migrate(config.database.url, now(), postgres=False)
    app = build(config, demo=True)
    personas = create(app, now())
    if only_create:
        app.database.close()
        return
    try:
        run(
            app,
            personas=personas,
            host="127.0.0.1",
            port=port,
            opened=lambda url: _tell(url, personas, folder / "mail"),
        )
    except AlreadyServing:
        raise NothingDone("the demonstration is running already: stop it first (Ctrl-C there)") from None
    except OSError as error:
        raise NothingDone(f"port {port} cannot be used ({error.strerror}): try another with --port") from None


def settings(folder: Path, port: int) -> Config:
    """The demonstration's own configuration; none of this machine's is read."""
    from bot.config import Config, Database, Email, Org, Security, Server

    return Config(
        server=Server(host="127.0.0.1", port=port),
        database=Database(url=f"sqlite:///{folder}/tiexin.db"),
        security=Security(key_file=folder / "key"),
        email=Email(sender="tiexin@example.com", sink=folder / "mail"),
        org=Org(name=ROOT[1], quiet_hours=None),
    )


def create(app: App, now: datetime) -> list[Persona]:
    """Everything there is to see, where it is not there yet; the personas with their links."""
    from storage import organisations

    with app.database.write() as tx:
        if not organisations.all_of(tx):
            settle(tx, now)
    with app.database.write() as tx:
        give_mailbox(tx, now)
        furnish(tx, now)
    with app.database.write() as tx:
        add_affairs(tx, now)
        add_writings(tx, now)
    with app.database.write() as tx:
        return [_persona(tx, now, place) for place in range(len(PERSONAS))]


def settle(tx: Tx, now: datetime) -> None:
    """The organisations, their people and offices; the personas have consented to the web chat."""
    from bot.core.event import Address
    from handlers.binding.desk import CONSENT
    from handlers.rights import today
    from storage import addresses, offices, organisations, people

    day = today(tx, now)
    code, name, kind = ROOT
    root = organisations.add(tx, code=code, name=name, kind=kind, parent=None)
    branches = [organisations.add(tx, code=c, name=n, kind="党支部", parent=root) for c, n in BRANCHES]
    everybody = residents(day)
    rows = [{**one.values, "organisation_id": branches[one.branch].id} for one in everybody]
    ids = people.add_many(tx, now, rows)
    for person_id, one in zip(ids, everybody, strict=True):
        if one.office:
            seat = root if one.office.startswith("党委") or one.office == "党务干事" else branches[one.branch]
            offices.appoint(tx, person_id, seat, one.office, day.replace(month=1, day=1))
    for persona in PERSONAS:
        its = people.by_number(tx, persona.number)
        assert its is not None
        addresses.bind(tx, its.id, Address("web", f"p{its.id}"), now, consent=CONSENT)


def give_mailbox(tx: Tx, now: datetime) -> None:
    """The travelling member has a mail address, once; what she gets there is written into files."""
    from bot.core.event import Address
    from handlers.binding.desk import CONSENT
    from storage import addresses, people, settings

    traveller = people.by_number(tx, TRAVELLER)
    if traveller is None or settings.get(tx, MAILBOX) is not None:
        return
    address = Address("email", f"u{TRAVELLER}@example.com")
    if addresses.find(tx, address) is None:
        addresses.bind(tx, traveller.id, address, now, consent=CONSENT)
    settings.put(tx, MAILBOX, now.isoformat())


def furnish(tx: Tx, now: datetime) -> None:
    """A poll and an examination that are open, a notice that waits to be confirmed; once, while the poll lasts."""
    from datetime import timedelta

    from handlers.notices import desk as notices
    from handlers.quizzes import desk as quizzes
    from handlers.voting import desk as voting
    from storage import organisations, people, polls, settings
    from storage.audit import Actor

    if any(poll.state == "open" for poll in polls.listed(tx)):
        return
    root = next(org for org in organisations.all_of(tx) if org.parent_id is None)
    secretary = people.by_number(tx, PERSONAS[0].number)
    if secretary is None or secretary.left_on is not None:
        return
    actor = Actor(secretary.id, secretary.name, "chat")
    closes = (now.astimezone(tx.house.zone) + timedelta(days=7)).replace(hour=18, minute=0, second=0, microsecond=0)
    plan = voting.Plan(
        "今年的主题党日去哪里？", ("参观革命纪念馆", "到社区做志愿服务", "听一堂专题党课", "义务植树"), "all",
        closes.astimezone(now.tzinfo), secret=False,
    )  # fmt: skip
    voting.open_(tx, now, actor, voting.create(tx, now, actor, root, plan))
    quiz = quizzes.Plan("党务知识小测", "all", 10, closes.astimezone(now.tzinfo), pass_mark=60)
    quizzes.open_(tx, now, actor, root, quiz)
    if settings.get(tx, FURNISHED) is None:
        meeting = closes + timedelta(days=1)
        body = (
            f"各位同志：\n{meeting.month}月{meeting.day}日下午两点，在三楼会议室召开党员大会，请准时参加；"
            "出差的同志可以远程旁听。收到请点“收到”。"
        )
        notices.send(tx, now, actor, root, notices.Draft("召开党员大会", body, "all", ask_ack=True))
        settings.put(tx, FURNISHED, now.isoformat())


def _persona(tx: Tx, now: datetime, place: int) -> Persona:
    """A persona with a link that may be used again, on this machine only; the same link at every start."""
    import secrets
    from datetime import timedelta

    from bot.server import Persona
    from storage import people, settings, web

    persona = PERSONAS[place]
    its = people.by_number(tx, persona.number)
    if its is None:
        raise NothingDone(f"the demonstration has no {persona.number} any more: remove {FOLDER} to begin anew")
    name = f"demo.link.{persona.number}"
    kept = settings.get(tx, name)
    token = tx.house.keys.open(bytes.fromhex(kept)) if kept else ""
    if not token or web.see_link(tx, web.link_digest(tx, token), now) is None:
        token = secrets.token_urlsafe(24)
        web.add_link(tx, token, its.id, now + timedelta(days=LINK_DAYS), reusable=True)
        settings.put(tx, name, tx.house.keys.seal(token).hex())
    return Persona(persona.role, persona.name, persona.line, token)


def _tell(url: str, personas: list[Persona], mails: Path) -> None:
    """Where it is, and who one may be."""
    from bot.cli.door import width

    lines = [f"The demonstration is open at {url}", ""]
    for persona in personas:
        who = f"{persona.role} {persona.name}"
        lines.append(f"  {who}{' ' * (26 - width(who))}{url}/l/{persona.token}")
    lines += [
        "",
        f"What the travelling member gets by mail lies in {mails}: open the .eml files with any mail program.",
    ]
    print("\n".join([*lines, "", "Ctrl-C stops it. All people are invented."]), flush=True)
    sys.stdout.flush()
