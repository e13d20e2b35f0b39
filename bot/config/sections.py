"""Which sections does config.toml have, which keys, and what do they take?"""

from __future__ import annotations

import re
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode


class QuietHours(NamedTuple):
    """The local hours in which nobody is written to, from start until before end; they may cross midnight."""

    start: time
    end: time

    def contain(self, local: time) -> bool:
        """Whether this local time of day is a quiet one."""
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


def _quiet_hours(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        start, end = (time.fromisoformat(part.strip()) for part in value.split("-"))
    except ValueError:
        raise ValueError('write them as "22:00-08:00", or "" for none') from None
    if start == end:
        raise ValueError('the two times are the same; write "" for no quiet hours')
    return QuietHours(start, end)


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write a full address, such as https://tiexin.example.org")
    return value.rstrip("/")


def _aes_key(key: SecretStr | None) -> SecretStr | None:
    if key and not re.fullmatch(r"[A-Za-z0-9]{43}", key.get_secret_value()):
        raise ValueError("an EncodingAESKey has 43 letters and digits; copy it from the platform's console")
    return key


def _networks(value: object) -> object:
    if isinstance(value, str):  # from the environment
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        return value
    try:
        return tuple(ip_network(part) if isinstance(part, str) else part for part in value)
    except ValueError:
        raise ValueError('write addresses or networks, such as ["127.0.0.1", "10.0.0.0/8"]') from None


def _names(value: object) -> object:
    if isinstance(value, str):  # from the environment
        value = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(value) if isinstance(value, list) else value


WebAddress = Annotated[str, AfterValidator(_web_address)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A table of config.toml. A key with repr=False is secret: not printed; <key>_file may name its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def secrets(cls) -> frozenset[str]:
        return frozenset(name for name, field in cls.model_fields.items() if not field.repr)


class Server(Section):
    """[server]: where Tiexin listens, and how the world reaches it."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: WebAddress | None = None
    trusted_proxies: Networks = ()


class Database(Section):
    """[database]: where everything is kept."""

    url: str = Field("sqlite:///var/tiexin.db", repr=False)  # it may hold a password

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str) -> str:
        if not re.match(r"sqlite:///[^?]|postgresql\+psycopg://", url):
            raise ValueError("write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        return url


class Queue(Section):
    """[queue]: who does the work that happens later."""

    engine: Literal["embedded", "rq"] = "embedded"
    redis_url: str | None = Field(None, repr=False)  # it may hold a password

    @field_validator("engine")
    @classmethod
    def _exists(cls, engine: str) -> str:
        if engine == "rq":
            raise ValueError('only the embedded engine exists so far; set it to "embedded"')
        return engine


class Telegram(Section):
    """[telegram]: the Telegram channel. Rates are messages per second, rate_group messages per minute."""

    token: SecretStr = Field(repr=False)
    mode: Literal["webhook", "polling"] = "webhook"
    webhook_secret: SecretStr | None = Field(None, repr=False, validate_default=True)
    api_base: WebAddress = "https://api.telegram.org"
    rate_global: Rate = 25
    burst: int = Field(5, ge=1)
    rate_chat: Rate = 1
    rate_group: Rate = 20

    @field_validator("token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"\d+:[\w-]+", token.get_secret_value(), re.ASCII):
            raise ValueError("this is no bot token; copy it from @BotFather: digits, a colon, letters")
        return token

    @field_validator("webhook_secret")
    @classmethod
    def _wanted_by_the_webhook(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("mode") == "webhook":
            raise ValueError('missing; the webhook needs one, or set telegram.mode to "polling"')
        # What the Bot API accepts as secret_token.
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret.get_secret_value()):
            raise ValueError("write 1 to 256 letters, digits, - or _")
        return secret


class WeChat(Section):
    """[wechat]: a WeChat official account (公众号), whose kind decides what it may do. Rate is per second."""

    app_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    app_secret: SecretStr = Field(repr=False)
    token: SecretStr = Field(repr=False)
    aes_key: SecretStr | None = Field(None, repr=False)
    api_base: WebAddress = "https://api.weixin.qq.com"
    kind: Literal["subscription", "service", "verified_subscription", "verified_service"] = "verified_service"
    text_links: bool = True
    template_id: str = ""
    template_title: str = "thing1"
    template_time: str = "time2"
    templates_a_day: int = Field(100_000, ge=0)
    subscription_id: str = ""
    subscription_title: str = "thing1"
    subscription_time: str = "time2"
    sends_after_message: int = Field(5, ge=0)
    hours_after_message: int = Field(48, ge=1)
    sends_after_tap: int = Field(3, ge=0)
    seconds_after_tap: int = Field(60, ge=1)
    rate: Rate = 20
    text_bytes: int = Field(2000, ge=200)

    @field_validator("aes_key")
    @classmethod
    def _looks_like_an_aes_key(cls, key: SecretStr | None) -> SecretStr | None:
        return _aes_key(key)


class WeCom(Section):
    """[wecom]: a WeCom (企业微信) application of the company's own. Its callback is always encrypted."""

    corp_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    agent_id: int = Field(ge=1)
    secret: SecretStr = Field(repr=False)
    token: SecretStr = Field(repr=False)
    aes_key: SecretStr = Field(repr=False)
    api_base: WebAddress = "https://qyapi.weixin.qq.com"
    bind: Literal["userid", "code"] = "userid"
    cards: bool = True
    rate_member: Rate = 20

    @field_validator("aes_key")
    @classmethod
    def _looks_like_an_aes_key(cls, key: SecretStr) -> SecretStr | None:
        return _aes_key(key)


class Email(Section):
    """[email]: mail out by SMTP (or, in the demonstration, into files), and in by LMTP or IMAP."""

    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr | None = Field(None, repr=False)
    sender: str = Field(pattern=r"^[^@\s<>+]+@[^@\s<>]+$")
    lmtp_host: str = "127.0.0.1"
    lmtp_port: int = Field(0, ge=0, le=65535)
    imap_host: str = ""
    imap_port: int = Field(993, ge=1, le=65535)
    imap_security: Literal["none", "tls"] = "tls"
    imap_user: str = ""
    imap_password: SecretStr | None = Field(None, repr=False)
    imap_folder: str = "INBOX"
    authserv_id: str = ""
    answers_per_hour: int = Field(10, ge=1)
    plus_addresses: bool = True
    largest: int = Field(10 * 1024 * 1024, ge=64 * 1024)
    rate: Rate = 5
    burst: int = Field(20, ge=1)
    sink: Path | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.smtp_host and self.sink is None:
            raise ValueError("mail leads nowhere: set email.smtp_host, or email.sink to a folder for .eml files")
        return self


class Security(Section):
    """[security]: the key from which every other key is made."""

    key_file: Path = Path("var/key")


class Policy(Section):
    """[policy]: what the organisation lets through which channel, and which it tries first."""

    channels: Literal["open", "strict"] = "open"
    company_domains: Names = ()
    order: Names = ("wecom", "wechat", "telegram", "email", "web")
    silence: float = Field(24, gt=0, le=720)

    @field_validator("company_domains")
    @classmethod
    def _mail_domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[^@\s]+\.[^@\s.]+", domain) for domain in domains):
            raise ValueError("write what stands after the @, such as example.org")
        return tuple(domain.lower() for domain in domains)

    @field_validator("order")
    @classmethod
    def _all_channels(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(order) != ["email", "telegram", "web", "wechat", "wecom"]:
            raise ValueError("name each of wecom, wechat, telegram, email and web once")
        return order


class Files(Section):
    """[files]: what people hand in with reports, notices and applications."""

    max_mb: int = Field(10, ge=1, le=20)


class Rules(Section):
    """[rules]: a folder of local rule tables that override the shipped ones."""

    dir: Path | None = None


class Org(Section):
    """[org]: the organisation and its habits."""

    name: str = ""
    language: Literal["zh", "en"] = "zh"
    time_zone: str = "Asia/Shanghai"
    quiet_hours: Annotated[QuietHours | None, BeforeValidator(_quiet_hours)] = QuietHours(time(22), time(8))
    reminders_a_week: int = Field(3, ge=0)
    operator: str | None = None

    @field_validator("time_zone")
    @classmethod
    def _on_the_map(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("this is no time zone; write a name such as Asia/Shanghai") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin, deadlines are told and hours are quiet."""
        return ZoneInfo(self.time_zone)
