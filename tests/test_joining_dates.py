"""Who is reminded of which date on the way into the Party, and when does it stop?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.kinds import Prose
from handlers import joining
from handlers.joining import branch, dates, desk
from handlers.joining.dates import PROBATION, REVIEW, TERM
from handlers.reminders.desk import CAMPAIGN, Desk
from storage import applications, campaigns, people
from tests.applicants import apply, by, number, receive, record, work
from tests.people import House

BORN = date(2000, 5, 4)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T09:30:00+08:00").astimezone(UTC)


def handed_in(house: House, day: str, name: str = "周敏") -> None:
    """Somebody hands in an application on a day."""
    house.now = local(day)
    if name not in house.ids:
        house.person(name, f"3{len(house.ids):03d}", kind="群众", born=BORN)
    work(house, lambda tx: desk.hand_in(tx, house.now, house.ids[name], Prose("我志愿加入中国共产党。"), None))


def heard(house: House, first: str, days: int) -> list[tuple[str, str, str]]:
    """What the clock makes people hear over some days: day, name, words."""
    reminding = Desk([joining.capability])
    names = {at: name for name, at in house.ids.items()}
    said: list[tuple[str, str, str]] = []
    seen: set[int] = set()
    for day in range(days):
        for hour in (1, 6):
            house.now = local(first) + timedelta(days=day, hours=hour - 1)
            with house.app.database.write() as tx:
                while reminding.due(tx, house.now):
                    pass
            with house.app.database.read() as tx:
                for telling in campaigns.sent_by(tx, house.now):
                    if telling.id in seen or telling.kind != CAMPAIGN:
                        continue
                    seen.add(telling.id)
                    for person in campaigns.recipients(tx, telling.id):
                        if message := house.app.reception.compose(tx, house.now, telling, person):
                            on = house.now.astimezone(tx.house.zone).date()
                            said.append((f"{on:%m-%d}", names[person], message.text))
    return said


def about(said: list[tuple[str, str, str]], word: str) -> list[tuple[str, str]]:
    return [(day, name) for day, name, text in said if word in text]


def test_the_talk_is_called_to_mind_a_week_and_a_day_before_on_the_day_and_weekly_after(house: House) -> None:
    handed_in(house, "2026-06-10")
    receive(house, "2026-06-10")
    said = about(heard(house, "2026-06-11", 50), "派人谈话")
    days = [day for day, _ in said]
    # 10 July 2026 is a Friday: the 3rd, the 9th, the 10th; then the 17th and the 24th
    assert days == ["07-03", "07-09", "07-10", "07-17", "07-24"]
    assert {name for _, name in said} == {"李书记"}


def test_what_nobody_has_received_counts_from_the_day_it_was_handed_in(house: House) -> None:
    handed_in(house, "2026-06-10")
    said = heard(house, "2026-06-28", 8)
    assert any("还没有受理" in text for _, _, text in said)


def test_a_reminder_of_a_term_names_the_article_nobody_and_cannot_be_stopped(house: House) -> None:
    handed_in(house, "2026-06-10")
    receive(house, "2026-06-10")
    text = next(text for _, _, text in heard(house, "2026-07-02", 3) if "派人谈话" in text)
    assert "第七条" in text
    assert "不能关" in text
    assert "周敏" not in text


def test_it_stops_as_soon_as_the_talk_is_recorded_even_where_it_was_on_its_way(house: House) -> None:
    handed_in(house, "2026-06-10")
    receive(house, "2026-06-10")
    reminding = Desk([joining.capability])
    house.now = local("2026-07-03")
    for hours in range(6):
        with house.app.database.write() as tx:
            while reminding.due(tx, house.now + timedelta(hours=hours)):
                pass
    house.now += timedelta(hours=6)
    with house.app.database.read() as tx:
        tellings = [one for one in campaigns.sent_by(tx, house.now) if one.kind == CAMPAIGN]
    mine = [one for one in tellings if (said := house.compose(one, "李书记")) and "派人谈话" in said.text]
    assert mine
    record(house, "周敏", "2", "2026-07-03")
    for one in mine:
        said = house.compose(one, "李书记")
        assert said is None or "派人谈话" not in said.text
    assert about(heard(house, "2026-07-04", 20), "派人谈话") == []


@pytest.mark.parametrize("how", ["withdrawn", "declined", "left"])
def test_it_stops_where_the_application_ends(house: House, how: str) -> None:
    handed_in(house, "2026-06-10")
    receive(house, "2026-06-10")
    act, application, person = by(house, "李书记"), number(house, "周敏"), house.ids["周敏"]
    if how == "withdrawn":
        work(house, lambda tx: desk.withdraw(tx, house.now, person))
    elif how == "declined":
        work(house, lambda tx: branch.decline(tx, house.now, act, application, "支委会", "理由写在这里。"))
    else:
        work(house, lambda tx: people.change(tx, person, left_on=date(2026, 6, 12)))
    assert about(heard(house, "2026-07-01", 20), "派人谈话") == []


def test_somebody_who_is_no_more_in_office_hears_nothing_that_was_meant_for_the_office(house: House) -> None:
    handed_in(house, "2026-06-10")
    house.person("郑委员", "5001", office="组织委员")
    said = about(heard(house, "2026-07-02", 3), "派人谈话")
    assert {name for _, name in said} == {"李书记", "郑委员"}


def test_where_a_branch_has_no_secretary_those_above_are_told(house: House) -> None:
    house.person("周敏", "3001", kind="群众", born=BORN)
    with house.app.database.write() as tx:
        org = house.orgs["第一支部"]
        assert list(desk.told(tx, house.now, org)) == [house.ids["李书记"]]
        people.change(tx, house.ids["李书记"], left_on=date(2026, 11, 1))
        assert list(desk.told(tx, house.now, org, but=house.ids["李书记"])) == [house.ids["赵书记"]]


def test_the_half_yearly_review_is_called_to_mind_until_it_is_held(house: House) -> None:
    handed_in(house, "2026-01-04")
    receive(house, "2026-01-04")
    house.now = local("2026-01-20")
    record(house, "周敏", "2", "2026-01-10")
    record(house, "周敏", "3", "2026-01-20")
    record(house, "周敏", "4", "2026-01-20")
    record(house, "周敏", "5", "2026-01-20", contacts=("1001",))
    said = about(heard(house, "2026-07-01", 25), "半年考察")
    assert said == [("07-06", "李书记"), ("07-20", "李书记")]
    record(house, "周敏", "6", "2026-07-22")
    assert about(heard(house, "2026-08-10", 30), "半年考察") == []


def test_the_end_of_probation_is_called_to_mind_a_month_before_to_the_member_and_the_branch(house: House) -> None:
    house.person("刘洋", "1009", kind="预备党员", admitted_on=date(2026, 3, 16))
    house.now = local("2027-02-01")
    said = heard(house, "2027-02-10", 60)
    # 16 February 2027 and 16 March 2027
    assert about(said, "书面转正申请") == [("02-16", "刘洋")]
    branch_heard = about(said, "预备期")
    assert [day for day, name in branch_heard if name == "李书记"] == ["02-16", "03-16"]
    assert all("刘洋" not in text.replace("刘洋同志", "") for _, name, text in said)


def test_a_tick_with_nothing_due_yields_no_round(house: House) -> None:
    handed_in(house, "2026-06-10")
    with house.app.database.write() as tx:
        assert list(dates.rounds(tx, house.now)) == []


def test_rounds_have_a_natural_key_and_say_whether_a_regulation_demands_them(house: House) -> None:
    handed_in(house, "2026-06-10")
    house.person("刘洋", "1009", kind="预备党员", admitted_on=date(2025, 7, 8))
    house.now = local("2026-07-08")
    with house.app.database.write() as tx:
        found = {one.kind: one for one in dates.rounds(tx, house.now)}
        again = {one.kind: one.key for one in dates.rounds(tx, house.now + timedelta(hours=3))}
    assert found.keys() == {TERM, PROBATION}
    assert (found[TERM].regulated, found[PROBATION].regulated) == (True, False)
    assert again == {kind: one.key for kind, one in found.items()}
    assert all(one.at <= house.now < one.until and len(one.key) <= 60 for one in found.values())
    assert REVIEW not in found


def test_what_is_due_is_listed_with_its_day(house: House) -> None:
    apply(house)
    house.person("刘洋", "1009", kind="预备党员", admitted_on=date(2025, 12, 10))
    receive(house, "2026-11-24")
    with house.app.database.read() as tx:
        act = by(house, "李书记")
        found = [(one.person.name, one.kind, one.day) for one in dates.within(tx, house.now, act, 30)]
        assert found == [("刘洋", PROBATION, date(2026, 12, 10)), ("周敏", TERM, date(2026, 12, 24))]
        assert dates.within(tx, house.now, by(house, "王芳"), 30) == []
        assert applications.probationary(tx, [house.orgs["第二支部"]]) == []
