"""organisation, for secretaries: 名册, somebody's card, 发绑定码."""

from __future__ import annotations

from bot.core.action import Action, Code
from bot.core.form import Form, ask
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor
from handlers.binding import desk as binding
from handlers.binding.codes import spaced
from handlers.organisation import members
from handlers.rights import Right, may, places
from storage import addresses, organisations, people, rosters
from storage.organisations import Org
from storage.people import KINDS, Somebody

router = Router()

PAGE = 20
IN_A_ROW = 4
"""Names beside each other on a phone."""
MOST_BRANCHES = 12


class Page(Action, tag="rp", light=True):
    """A page of the roster of an organisation (0: of everything within reach)."""

    org: int
    page: int


class Look(Action, tag="rc", light=True):
    """Somebody's card."""

    person: int


class Issue(Action, tag="rk"):
    """A binding code for somebody."""

    person: int


class LetGo(Action, tag="ru"):
    """Release somebody's addresses; asked once more unless `sure`."""

    person: int
    sure: bool


def _sees_rosters(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.ROSTER)


def _issues_codes(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.CODE)


class WhoseCode(Form):
    """发绑定码"""

    decision = True
    grade = Grade.PERSONAL
    review = False

    member: str = ask("给谁发绑定码？请发员工号或姓名。", title="党员", max_length=60)


# -- 名册 ----------------------------------------------------------------------------------------------------


@router.command("/roster", "名册", rest=True, shown=_sees_rosters)
def roster(turn: Turn, rest: str) -> Answer:
    """查看本组织的名册，“名册 王”按姓名或员工号查找"""
    if not rest:
        return _page(turn, 0, 0)
    found = members.find(turn.tx, turn.now, actor(turn), Right.ROSTER, rest)
    return _card(turn, found[0]) if len(found) == 1 else _found(turn, found, rest)


@router.pressed(Page)
def page(turn: Turn, press: Page) -> Answer:
    return _page(turn, press.org, press.page)


@router.pressed(Look)
def look(turn: Turn, press: Look) -> Answer:
    return _card(turn, _person(turn, press.person, Right.ROSTER))


def _page(turn: Turn, org_id: int, number: int) -> Reply:
    tx, area = turn.tx, places(turn.tx, turn.now, actor(turn), Right.ROSTER)
    if org_id:
        area = [org for org in organisations.all_of(tx) if org.id == org_id and any(a.holds(org) for a in area)]
    if not area:
        raise Refused("organisation.beyond")
    kinds: dict[str, int] = {}
    for org in area:
        for kind, count in rosters.kinds(tx, org).items():
            kinds[kind] = kinds.get(kind, 0) + count
    total = sum(kinds.values())
    pages = max(1, -(-total // PAGE))
    number = min(number, pages - 1)
    shown = _slice(turn, area, number)
    bound = addresses.of_people(tx, [person.id for person in shown])
    below = organisations.all_of(tx, below=area[0]) if len(area) == 1 else area
    names = {org.id: org.name for place in area for org in organisations.all_of(tx, below=place)}
    listing = words(
        "organisation.roster", org=[org.name for org in area], total=total, page=number + 1, pages=pages,
        kinds=[(kind, kinds[kind]) for kind in KINDS if kind in kinds], bound=sum(rosters.bound(tx, o) for o in area),
        people=[(person, names[person.organisation_id], person.id in bound) for person in shown],
        several=len(names) > 1,
    )  # fmt: skip
    rows = _names(shown)
    steps = [
        Button(words(f"organisation.{name}"), Page(org_id, to), walk=True)
        for name, to in (("page_before", number - 1), ("page_after", number + 1))
        if 0 <= to < pages
    ]
    branches = [org for org in below if number == 0 and len(below) > 1 and org.id != org_id][:MOST_BRANCHES]
    rows += [tuple(steps)] if steps else []
    rows += _in_rows([Button(org.name, Page(org.id, 0), walk=True) for org in branches if org != area[0]], 3)
    return Reply(listing, tuple(rows), grade=Grade.PERSONAL)


def _slice(turn: Turn, area: list[Org], number: int) -> list[Somebody]:
    """The people of one page, by branch and number."""
    skip, ids = number * PAGE, list[int]()
    for org in area:
        ids += rosters.page(turn.tx, org, skip, PAGE - len(ids))
        skip = max(0, skip - sum(rosters.kinds(turn.tx, org).values()))
        if len(ids) == PAGE:
            break
    known = {person.id: person for person in people.listed(turn.tx, ids)}
    return [known[one] for one in ids]


def _found(turn: Turn, found: list[Somebody], written: str) -> Reply:
    names = {person.organisation_id for person in found}
    orgs = {one: organisations.get(turn.tx, one).name for one in names}
    shown = found[:PAGE]
    said = words(
        "organisation.found", written=written[:40], count=len(found), most=members.MANY, shown=len(shown),
        people=[(person, orgs[person.organisation_id]) for person in shown],
    )  # fmt: skip
    return Reply(said, tuple(_names(shown)), grade=Grade.PERSONAL)


def _card(turn: Turn, person: Somebody) -> Reply:
    card = members.card(turn.tx, turn.now, actor(turn), person)
    here = organisations.get(turn.tx, person.organisation_id)
    private = card.private if turn.address.channel == "web" else {}  # others' data stays on our own pages
    row: list[Button] = []
    if person.left_on is None and may(turn.tx, turn.now, actor(turn), Right.CODE, here):
        row.append(Button(Phrase("发绑定码"), Issue(person.id)))
        if card.channels and person.id != turn.member.id:
            row.append(Button(words("organisation.let_go"), LetGo(person.id, sure=False)))
    channels = [words(f"binding.channel_{channel}") for channel in card.channels]
    said = words("organisation.card", card=card, channels=channels, private=private)
    back = (Button(words("organisation.back_to_roster"), Page(here.id, 0)),)
    grade = Grade.SENSITIVE if private else Grade.PERSONAL
    return Reply(said, (tuple(row), back) if row else (back,), sensitive=bool(private), grade=grade)


def _person(turn: Turn, person_id: int, right: Right) -> Somebody:
    """The person of a button. Raises Refused beyond reach: a button is a claim."""
    for person in people.listed(turn.tx, [person_id]):
        return members.find(turn.tx, turn.now, actor(turn), right, person.number)[0]
    raise Refused("conversation.stale")


def _names(shown: list[Somebody]) -> list[tuple[Button, ...]]:
    return _in_rows([Button(person.name, Look(person.id)) for person in shown], IN_A_ROW)


def _in_rows(buttons: list[Button], width: int) -> list[tuple[Button, ...]]:
    return [tuple(buttons[at : at + width]) for at in range(0, len(buttons), width)]


# -- 发绑定码 ------------------------------------------------------------------------------------------------


@router.command("/code", "发绑定码", rest=True, shown=_issues_codes)
def code(turn: Turn, rest: str) -> Answer:
    """给党员发绑定码，他用它绑定自己的聊天"""
    return _code_for(turn, rest) if rest else Begin(WhoseCode)


@router.form(WhoseCode)
def whose_code(turn: Turn, form: WhoseCode) -> Answer:
    return _code_for(turn, form.member)


@router.pressed(Issue)
def issue(turn: Turn, press: Issue) -> Answer:
    return _issue(turn, _person(turn, press.person, Right.CODE))


def _code_for(turn: Turn, written: str) -> Answer:
    found = members.find(turn.tx, turn.now, actor(turn), Right.CODE, written)
    if len(found) == 1 and written.strip() in (found[0].number, found[0].name):
        return _issue(turn, found[0])  # part of a name may be somebody else's: then it is asked
    orgs = {one: organisations.get(turn.tx, one).name for one in {person.organisation_id for person in found}}
    shown = found[:PAGE]
    rows = tuple((Button(f"{p.name} {p.number} {orgs[p.organisation_id]}", Issue(p.id)),) for p in shown)
    said = words("organisation.code_for_whom", written=written[:40], count=len(found))
    return Reply(said, rows, grade=Grade.PERSONAL)


def _issue(turn: Turn, person: Somebody) -> Reply:
    """Shown this once: stored as a digest only, so that nobody can look it up later."""
    new = binding.issue(turn.tx, turn.now, actor(turn), person)
    said = words(
        "organisation.code", person=person, code=spaced(new), until=turn.now + binding.LIFE,
        bound=bool(addresses.of_person(turn.tx, person.id)),
    )  # fmt: skip
    row = (Button(words("organisation.another_code"), Run(Code("code"))), Button(Phrase("工作台"), Run(Code("desk"))))
    return Reply(said, (row,), sensitive=True, grade=Grade.PERSONAL)


@router.pressed(LetGo)
def let_go(turn: Turn, press: LetGo) -> Answer:
    person = _person(turn, press.person, Right.CODE)
    if not press.sure:
        row = (
            Button(words("organisation.let_go_sure"), LetGo(person.id, sure=True)),
            Button(words("organisation.let_go_not"), Look(person.id)),
        )
        return Reply(words("organisation.let_go_ask", person=person), (row,), grade=Grade.PERSONAL)
    released = members.unbind(turn.tx, turn.now, actor(turn), person)
    again = (Button(Phrase("发绑定码"), Issue(person.id)),)
    said = words("organisation.let_gone", person=person, count=len(released))
    return Reply(said, (again,), replaces=True, grade=Grade.PERSONAL)


# -- 工作台 --------------------------------------------------------------------------------------------------


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says about people."""
    found = []
    for org in places(turn.tx, turn.now, actor(turn), Right.ROSTER):
        total, bound = sum(rosters.kinds(turn.tx, org).values()), rosters.bound(turn.tx, org)
        said = words("organisation.desk_roster", org=org.name, total=total, bound=bound)
        found.append(Item(said, Button(Phrase("名册"), Run(Code("roster")))))
    if _issues_codes(turn):
        found.append(Item(words("organisation.desk_code"), Button(Phrase("发绑定码"), Run(Code("code")))))
    return found
