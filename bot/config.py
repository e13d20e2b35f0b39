"""How is this installation set up?

One frozen Config, from config.toml and the environment: TIEXIN_<SECTION>__<KEY> wins over the file, and the
file over the default. A secret may stand in a file of its own, as <key>_file. config.example.toml documents
every key.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "TIEXIN_"
DEFAULT_FILE = Path("config.toml")


class ConfigError(Exception):
    """The configuration is unusable: one line of section.key, what is wrong, the remedy; never a value."""


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


def _networks(value: object) -> object:
    if isinstance(value, str):  # from the environment
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        return value
    try:
        return tuple(ip_network(part) if isinstance(part, str) else part for part in value)
    except ValueError:
        raise ValueError('write addresses or networks, such as ["127.0.0.1", "10.0.0.0/8"]') from None


WebAddress = Annotated[str, AfterValidator(_web_address)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    """A table of config.toml. A key with repr=False is secret: not printed; <key>_file may name its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def secrets(cls) -> frozenset[str]:
        return frozenset(name for name, field in cls.model_fields.items() if not field.repr)


class Server(_Section):
    """[server]: where Tiexin listens, and how the world reaches it."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: WebAddress | None = None
    trusted_proxies: Networks = ()


class Database(_Section):
    """[database]: where everything is kept."""

    url: str = Field("sqlite:///var/tiexin.db", repr=False)  # it may hold a password

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str) -> str:
        if not re.match(r"sqlite:///[^?]|postgresql\+psycopg://", url):
            raise ValueError("write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        return url


class Queue(_Section):
    """[queue]: who does the work that happens later."""

    engine: Literal["embedded", "rq"] = "embedded"
    redis_url: str | None = Field(None, repr=False)  # it may hold a password

    @field_validator("engine")
    @classmethod
    def _exists(cls, engine: str) -> str:
        if engine == "rq":
            raise ValueError('only the embedded engine exists so far; set it to "embedded"')
        return engine


class Telegram(_Section):
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


class Security(_Section):
    """[security]: the key from which every other key is made."""

    key_file: Path = Path("var/key")


class Policy(_Section):
    """[policy]: what the organisation lets through which channel."""

    channels: Literal["open", "strict"] = "open"


class Rules(_Section):
    """[rules]: a folder of local rule tables that override the shipped ones."""

    dir: Path | None = None


class Org(_Section):
    """[org]: the organisation and its habits."""

    name: str = ""
    language: Literal["zh", "en"] = "zh"
    time_zone: str = "Asia/Shanghai"
    quiet_hours: Annotated[QuietHours | None, BeforeValidator(_quiet_hours)] = QuietHours(time(22), time(8))
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


class Config(BaseSettings):
    """Everything that is set for one installation. A channel whose section is absent is None: it is off.

    Config() is the defaults alone; load() is the only way to what the operator wrote.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )

    server: Server = Server()
    database: Database = Database()
    queue: Queue = Queue()
    telegram: Telegram | None = None
    security: Security = Security()
    policy: Policy = Policy()
    rules: Rules = Rules()
    org: Org = Org()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)  # load() reads the rest: nothing of this machine slips in behind one's back


SECTIONS: Mapping[str, type[_Section]] = {
    "server": Server,
    "database": Database,
    "queue": Queue,
    "telegram": Telegram,
    "security": Security,
    "policy": Policy,
    "rules": Rules,
    "org": Org,
}

_Tables = dict[str, dict[str, Any]]


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read path, else $TIEXIN_CONFIG, else ./config.toml if there is one, else the defaults alone.

    Raises ConfigError. Relative paths inside the configuration count from the working directory.
    """
    if path is None:
        named = environ.get(PREFIX + "CONFIG")
        path = Path(named) if named else DEFAULT_FILE if DEFAULT_FILE.exists() else None
    tables = _from_file(path) if path else {}
    # Secret files were read per source: a token in the environment wins over a token_file in config.toml.
    for section, keys in _from_environment(environ).items():
        tables[section] = tables.get(section, {}) | keys
    try:
        return Config(**tables)  # type: ignore[arg-type]  # pydantic is what checks them
    except ValidationError as error:
        found = error.errors(include_input=False)
        problems = [_problem(one["loc"], one["type"], one["msg"]) for one in found]
    raise ConfigError("; ".join(problems))  # outside the except: the pydantic error holds values


def _from_file(path: Path) -> _Tables:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); --config names another file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at .*\)$", str(error))  # the rest of the message may quote the line
        raise ConfigError(f"{path}: is not TOML {place[0] if place else ''}; quote every text") from None
    for section, keys in tables.items():
        if not isinstance(keys, dict):
            raise ConfigError(f"{section}: stands outside every section; put it below its [section]")
    return _with_secret_files(tables)


def _from_environment(environ: Mapping[str, str]) -> _Tables:
    for name in environ:
        section, delimiter, key = name.removeprefix(PREFIX).lower().partition("__")
        if name.startswith(PREFIX) and delimiter and section not in SECTIONS:
            raise ConfigError(_problem((section, key), "extra_forbidden", ""))
    source = EnvSettingsSource(Config)
    source.env_vars = {name.lower(): value for name, value in environ.items() if "__" in name}
    return _with_secret_files(source())


def _with_secret_files(tables: _Tables) -> _Tables:
    for section, keys in tables.items():
        for key in SECTIONS[section].secrets() if section in SECTIONS else ():
            file = keys.pop(f"{key}_file", None)
            if file is None:
                continue
            if key in keys:
                raise ConfigError(f"{section}.{key} and {section}.{key}_file are both given; keep one")
            try:
                keys[key] = Path(str(file)).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or "not a text file"
                raise ConfigError(f"{section}.{key}_file: the file cannot be read ({why})") from None
    return tables


def _problem(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    section, key = str(loc[0]), str(loc[1]) if len(loc) > 1 else ""
    name = f"{section}.{key}" if key else section
    if kind == "extra_forbidden":
        known = list(SECTIONS[section].model_fields) if section in SECTIONS else list(SECTIONS)
        wrong, what = (key, "key") if section in SECTIONS else (section, "section")
        near = difflib.get_close_matches(wrong, known, n=1)
        remedy = f"did you mean {near[0]}?" if near else "config.example.toml lists them all"
        return f"{name}: unknown {what}; {remedy}"
    if kind == "missing":
        return f"{name}: missing; set it, {name}_file, or {PREFIX}{section.upper()}__{key.upper()}"
    return f"{name}: {message.removeprefix('Value error, ')}"
