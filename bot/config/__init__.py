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
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bot.config.sections import (
    Database,
    Email,
    Files,
    Org,
    Policy,
    Queue,
    QuietHours,
    Rules,
    Section,
    Security,
    Server,
    Telegram,
    WeChat,
    WeCom,
)

PREFIX = "TIEXIN_"
DEFAULT_FILE = Path("config.toml")


class ConfigError(Exception):
    """The configuration is unusable: one line of section.key, what is wrong, the remedy; never a value."""


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
    wechat: WeChat | None = None
    wecom: WeCom | None = None
    email: Email | None = None
    security: Security = Security()
    policy: Policy = Policy()
    files: Files = Files()
    rules: Rules = Rules()
    org: Org = Org()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are switched on; the web chat always is."""
        return ("web", *(name for name in ("telegram", "wechat", "wecom", "email") if getattr(self, name)))

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


SECTIONS: Mapping[str, type[Section]] = {
    "server": Server,
    "database": Database,
    "queue": Queue,
    "telegram": Telegram,
    "wechat": WeChat,
    "wecom": WeCom,
    "email": Email,
    "security": Security,
    "policy": Policy,
    "files": Files,
    "rules": Rules,
    "org": Org,
}

__all__ = [
    "Config", "ConfigError", "Database", "Email", "Files", "Org", "Policy", "Queue", "QuietHours", "Rules",
    "Security", "Server", "Telegram", "WeChat", "WeCom", "load",
]  # fmt: skip

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
