"""The wiring: the only place where parts are chosen."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.config import Config
from bot.parts import App, Clock, now
from bot.reception import Reception
from bot.render import renderer
from handlers import (
    Capability,
    binding,
    channels,
    dues,
    files,
    home,
    joining,
    notices,
    organisation,
    quizzes,
    reminders,
    reports,
    roster,
    terms,
    voting,
)
from storage.database import Database
from storage.house import Closed, House
from storage.keys import Keys


def capabilities() -> list[Capability]:
    """Everything Tiexin can do, in the order of 帮助."""
    others = [
        voting.capability,
        dues.capability,
        notices.capability,
        reports.capability,
        quizzes.capability,
        organisation.capability,
        roster.capability,
        binding.capability,
        channels.capability,
        joining.capability,
        files.capability,
        terms.capability,
    ]
    others.append(reminders.capability(others))
    return [home.capability(others), *others]


def house(config: Config, *, demo: bool = False) -> House:
    """What is the same for everybody in this installation."""
    return House(
        keys=Keys.from_file(config.security.key_file),
        name=config.org.name or "贴心",
        zone=ZoneInfo(config.org.time_zone),
        language=config.org.language,
        public_url=config.server.public_url or f"http://{config.server.host}:{config.server.port}",
        policy=config.policy.channels,
        company_domains=frozenset(config.policy.company_domains),
        channels=config.channels,
        order=config.policy.order,
        silence=timedelta(hours=config.policy.silence),
        closed=_closed(config),
        pace=_pace(config),
        rules=config.rules.dir,
        operator=config.org.operator or "",
        vouching=frozenset({"wecom"} if config.wecom and config.wecom.bind == "userid" else ()),
        quiet_hours=config.org.quiet_hours,
        reminders_a_week=config.org.reminders_a_week,
        largest_file=config.files.max_mb * 1024 * 1024,
        demo=demo,
    )


def _pace(config: Config) -> dict[str, float]:
    """Messages a second that we allow ourselves on each channel."""
    paces = {
        "telegram": config.telegram and config.telegram.rate_global,
        "wechat": config.wechat and config.wechat.rate,
        "email": config.email and config.email.rate,
    }
    return {channel: pace for channel, pace in paces.items() if pace}


def _closed(config: Config) -> dict[str, Closed]:
    """The channels that know beforehand to whom they can bring nothing now."""
    if config.wechat is None:
        return {}
    from bot.adapters.wechat_ways import Ways

    return {"wechat": Ways(config.wechat).closed}


def build(config: Config, *, demo: bool = False, clock: Clock = now) -> App:
    """Everything but the server. Raises Incomplete where a template or a translation is missing."""
    its_house = house(config, demo=demo)
    reception = Reception(capabilities(), renderer(its_house.zone))
    return App(config, Database(config.database.url, its_house), reception, clock)


__all__ = ["App", "Clock", "build", "capabilities", "house", "now"]
