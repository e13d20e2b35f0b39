"""Does the configuration say what the operator wrote, and does it name what is wrong with it?"""

from __future__ import annotations

import re
import tomllib
from datetime import time
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from bot.config import SECTIONS, Config, ConfigError, QuietHours, load

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
TOKEN = "123456789:AAF-invented"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _file(folder: Path, text: str) -> Path:
    file = folder / "tiexin.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_file_and_environment_everything_has_its_default(elsewhere: Path) -> None:
    assert load(None, {}) == Config()
    assert Config().database.url == "sqlite:///var/tiexin.db"
    assert Config().server.host == "127.0.0.1"
    assert Config().telegram is None


def test_the_example_is_the_defaults() -> None:
    assert load(EXAMPLE, {}) == Config()


def test_the_example_documents_every_key_with_its_default() -> None:
    text = re.sub(r"^# (?=\[[a-z]+\]$|[a-z_]+ = )", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    shown = tomllib.loads(text)
    assert {section: set(keys) for section, keys in shown.items()} == {
        section: set(model.model_fields) for section, model in SECTIONS.items()
    }
    for section, model in SECTIONS.items():
        for key, field in model.model_fields.items():
            if not field.is_required() and field.default is not None and not isinstance(field.default, tuple | Path):
                assert shown[section][key] == field.default, f"{section}.{key}"


def test_the_example_with_everything_switched_on_loads(tmp_path: Path) -> None:
    text = re.sub(r"^# (?=\[[a-z]+\]$|[a-z_]+ = )", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    telegram = load(_file(tmp_path, text), {}).telegram
    assert telegram is not None
    assert telegram.rate_group == 20


def test_every_section_is_known_by_its_name() -> None:
    assert {
        name: next(iter(get_args(field.annotation)), field.annotation) for name, field in Config.model_fields.items()
    } == SECTIONS


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = _file(tmp_path, '[server]\nhost = "::1"\nport = 9000\n')
    server = load(file, {"TIEXIN_SERVER__PORT": "9001"}).server
    assert (server.host, server.port, server.public_url) == ("::1", 9001, None)


def test_the_environment_alone_can_switch_a_channel_on(elsewhere: Path) -> None:
    environ = {"TIEXIN_TELEGRAM__TOKEN": TOKEN, "TIEXIN_TELEGRAM__MODE": "polling"}
    telegram = load(None, environ).telegram
    assert telegram is not None
    assert telegram.token.get_secret_value() == TOKEN
    assert telegram.api_base == "https://api.telegram.org"


def test_the_file_is_the_named_one_then_that_of_the_environment_then_the_one_that_lies_here(
    elsewhere: Path,
) -> None:
    for name in ("argument", "environment", "config"):
        (elsewhere / f"{name}.toml").write_text(f'[org]\nname = "{name}"\n')
    environ = {"TIEXIN_CONFIG": str(elsewhere / "environment.toml")}
    assert load(elsewhere / "argument.toml", environ).org.name == "argument"
    assert load(None, environ).org.name == "environment"
    assert load(None, {}).org.name == "config"


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "secret").write_text("from-a-file")
    file = _file(
        tmp_path, f'[telegram]\ntoken_file = "{tmp_path}/token"\nwebhook_secret_file = "{tmp_path}/secret"\n'
    )
    telegram = load(file, {}).telegram
    assert telegram is not None
    assert telegram.token == SecretStr(TOKEN)
    assert telegram.webhook_secret == SecretStr("from-a-file")


def test_a_token_in_the_environment_wins_over_a_token_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("1:old")
    file = _file(tmp_path, f'[telegram]\nmode = "polling"\ntoken_file = "{tmp_path}/token"\n')
    telegram = load(file, {"TIEXIN_TELEGRAM__TOKEN": TOKEN}).telegram
    assert telegram is not None
    assert telegram.token.get_secret_value() == TOKEN


def test_proxies_are_a_list_in_the_file_and_joined_by_commas_in_the_environment(tmp_path: Path) -> None:
    file = _file(tmp_path, '[server]\ntrusted_proxies = ["127.0.0.1", "10.0.0.0/8"]\n')
    written = load(file, {}).server.trusted_proxies
    assert [str(network) for network in written] == ["127.0.0.1/32", "10.0.0.0/8"]
    assert load(file, {"TIEXIN_SERVER__TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}).server.trusted_proxies == written


def test_settings_of_the_tests_are_no_keys(elsewhere: Path) -> None:
    assert load(None, {"TIEXIN_TEST_POSTGRES": "wheel", "PATH": "/bin", "OTHER__KEY": "1"}) == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nprot = 1\n", "server.prot: unknown key; did you mean port?"),
        ("[server]\nzebra = 1\n", "server.zebra: unknown key; config.example.toml lists them all"),
        ("[carrier]\npigeon = 'a'\n", "carrier: unknown section; config.example.toml lists them all"),
        ("[sever]\nport = 1\n", "sever: unknown section; did you mean server?"),
        ("port = 1\n", "port: stands outside every section; put it below its [section]"),
        (
            "[server]\nport = 'hush'\n",
            "server.port: Input should be a valid integer, unable to parse string as",
        ),
        ("[server]\nport = 70000\n", "server.port: Input should be less than or equal to 65535"),
        ("[server]\nhost = 5\n", "server.host: Input should be a valid string"),
        ("[server]\npublic_url = 'hush'\n", "server.public_url: write a full address"),
        ("[server]\ntrusted_proxies = ['hush']\n", "server.trusted_proxies: write addresses or networks"),
        ("[database]\nurl = 'mysql://hush'\n", "database.url: write sqlite:///FILE or postgresql+psycopg://"),
        (
            "[queue]\nengine = 'rq'\n",
            'queue.engine: only the embedded engine exists so far; set it to "embedded"',
        ),
        ("[telegram]\n", "telegram.token: missing; set it, telegram.token_file, or TIEXIN_TELEGRAM__TOKEN"),
        ("[telegram]\ntoken = 'hush'\n", "telegram.token: this is no bot token"),
        ("[telegram]\ntoken = '1:hush'\n", "telegram.webhook_secret: missing; the webhook needs one"),
        (
            "[telegram]\ntoken = '1:hush'\nwebhook_secret = 'hush!'\n",
            "telegram.webhook_secret: write 1 to 256",
        ),
        (
            "[telegram]\ntoken = '1:hush'\nmode = 'hush'\n",
            "telegram.mode: Input should be 'webhook' or 'polling'",
        ),
        ("[telegram]\nrate_chat = 0\n", "telegram.rate_chat: Input should be greater than 0"),
        ("[telegram]\ntoken_file = 'hush'\n", "telegram.token_file: the file cannot be read (No such file"),
        (
            "[telegram]\ntoken = '1:hush'\ntoken_file = 'x'\n",
            "telegram.token and telegram.token_file are both given",
        ),
        ("[org]\ntime_zone = 'Hush/Hush'\n", "org.time_zone: this is no time zone; write a name such as"),
        ("[org]\nquiet_hours = 'hush'\n", 'org.quiet_hours: write them as "22:00-08:00", or "" for none'),
        ("[org]\nlanguage = 'hush'\n", "org.language: Input should be 'zh' or 'en'"),
        ("[server]\nhost = hush\n", "tiexin.toml: is not TOML (at line 2, column 8)"),
    ],
)
def test_a_mistake_is_named_in_one_line_without_the_value(elsewhere: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(_file(elsewhere, text), {})
    told = str(refused.value)
    assert message in told
    assert "\n" not in told
    assert "hush" not in told.lower()
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_two_mistakes_are_told_at_once(elsewhere: Path) -> None:
    with pytest.raises(ConfigError, match=r"^server\.prot: .*; org\.nmae: unknown key; did you mean name\?$"):
        load(_file(elsewhere, "[server]\nprot = 1\n[org]\nnmae = ''\n"), {})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("TIEXIN_SERVER__PROT", "server.prot: unknown key"),
        ("TIEXIN_CARRIER__TOKEN", "carrier.token: unknown section"),
    ],
)
def test_a_mistake_in_the_environment_is_named_too(elsewhere: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(None, {name: "1"})


def test_a_file_that_is_not_there_is_an_error_when_it_was_named(elsewhere: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read \(No such file or directory\)"):
        load(None, {"TIEXIN_CONFIG": "nowhere.toml"})


def test_nobody_can_print_a_secret_by_printing_the_configuration(tmp_path: Path) -> None:
    text = f"[telegram]\ntoken = '{TOKEN}'\nwebhook_secret = 'hush'\n[database]\nurl = 'postgresql+psycopg://u:hush@h/n'\n"
    told = repr(load(_file(tmp_path, text), {}))
    assert "hush" not in told
    assert "invented" not in told


def test_the_configuration_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().server.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "at", "quiet"),
    [
        ("22:00-08:00", "21:59", False),
        ("22:00-08:00", "22:00", True),
        ("22:00-08:00", "03:00", True),
        ("22:00-08:00", "08:00", False),
        ("12:00-14:00", "13:59", True),
        ("12:00-14:00", "14:00", False),
    ],
)
def test_quiet_hours_may_cross_midnight(tmp_path: Path, written: str, at: str, quiet: bool) -> None:
    hours = load(_file(tmp_path, f"[org]\nquiet_hours = '{written}'\n"), {}).org.quiet_hours
    assert hours is not None
    assert hours.contain(time.fromisoformat(at)) is quiet


def test_quiet_hours_can_be_switched_off(tmp_path: Path) -> None:
    assert load(_file(tmp_path, "[org]\nquiet_hours = ''\n"), {}).org.quiet_hours is None
    assert Config().org.quiet_hours == QuietHours(time(22), time(8))
    assert Config().org.zone.key == "Asia/Shanghai"
