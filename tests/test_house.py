"""Does the house keep its own rules, those that no linter knows?"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
ROOMS = ("bot", "handlers", "storage", "workers", "tests", "tools")
LONGEST = 400  # lines

# Files that may be longer than LONGEST, each with its reason.
LONG: dict[str, str] = {
    "storage/migrations/versions/0001_the_first_tables.py": "one step, written once and never changed",
}

# Each channel is a file or a family of files, telegram.py and telegram_request.py: the part before the first “_”.
# numbered.py, choices as “1. 2. 3.”, is there for every channel without buttons, links.py for every channel that
# leads to our own pages; the two of Tencent share their crypto and their client.
FOR_ALL_CHANNELS = {"numbered", "links", "beside"}
SHARED = {"tencent": {"wechat", "wecom"}, "web": {"links"}}
CHANNEL_LIBRARIES = {
    "telegram": {"telegram"},
    "wechatpy": {"wechat", "wecom", "tencent"},
    "aiosmtplib": {"email"},
    "flufl": {"email"},
}

# Written so that this file does not match itself.
HOSTS = re.compile(r"p[y]pi\.|python[h]osted|n[p]mjs\.|[d]eb\.debian|\bregistry\.[a-z]+\.[a-z]")
PLACES = re.compile(r"/w[o]rk/|/f[a]rm/|/r[o]ot/|/h[o]me/[a-z]")


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=True).stdout
    return [file for name in listed.decode().split("\0") if name and (file := HOUSE / name).is_file()]


def _modules(*rooms: str) -> list[Path]:
    return [file for room in rooms for file in sorted((HOUSE / room).rglob("*.py"))]


def _name(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _imports(tree: ast.AST, *, for_types: bool = False) -> Iterator[tuple[str, bool]]:
    """The modules named in imports, each with whether only a type checker follows it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), for_types
        else:
            guarded = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
            yield from _imports(node, for_types=for_types or guarded)


def _strangers(file: Path, friends: set[str], friends_for_types: set[str]) -> list[str]:
    """What a module imports beyond the standard library and its friends."""
    return [
        module
        for module, for_types in _imports(_tree(file))
        if (top := module.partition(".")[0]) not in sys.stdlib_module_names
        and not any(module == friend or module.startswith(friend + ".") for friend in friends)
        and not (for_types and top in friends_for_types)
    ]


def test_every_room_is_short_or_says_why() -> None:
    long = {
        _name(file): lines
        for file in _tracked()
        if file.suffix == ".py" and (lines := len(file.read_bytes().splitlines())) > LONGEST
    }
    assert long.keys() == LONG.keys(), f"over {LONGEST} lines without a reason, or a reason without need: {long}"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"util", "utils", "helper", "helpers", "misc", "common"}
    assert [_name(file) for file in _modules(*ROOMS) if drawers & set(file.with_suffix("").parts[-2:])] == []


def test_every_file_begins_with_its_question() -> None:
    assert [_name(file) for file in _modules(*ROOMS) if not ast.get_docstring(_tree(file))] == []


def test_the_law_needs_the_standard_library_alone() -> None:
    laws = [*HOUSE.glob("handlers/*/rules.py"), *HOUSE.glob("handlers/*/rules/**/*.py"), HOUSE / "handlers/months.py"]
    friends = {"handlers.months"}  # a month is the same in every law
    assert {_name(file): found for file in laws if (found := _strangers(file, friends, set()))} == {}


def test_the_conversation_knows_nobody_else() -> None:
    friends = {"bot.core", "rapidfuzz", "pydantic"}
    assert {
        _name(file): found for file in _modules("bot/core") if (found := _strangers(file, friends, {"sqlalchemy"}))
    } == {}


def _family(module: str) -> str:
    """The channel of a module below bot.adapters."""
    return module.removeprefix("bot.adapters.").partition(".")[0].partition("_")[0]


def _named_in(file: Path) -> Iterator[str]:
    """Every module a file imports from, `from package import module` spelled out."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def test_channels_do_not_know_each_other() -> None:
    found = []
    for file in _modules("bot/adapters"):
        own = _family(_name(file).removesuffix(".py").replace("/", "."))
        for module in _named_in(file):
            relative = module.startswith(".")
            family = _family(module)
            known = family == own or family in FOR_ALL_CHANNELS or own in SHARED.get(family, set())
            other = module.startswith("bot.adapters.") and not known
            library = module.partition(".")[0]
            foreign = own not in CHANNEL_LIBRARIES.get(library, {own})
            if relative or other or foreign:
                found.append(f"{_name(file)}: {module}")
    assert found == []


def test_no_test_is_skipped_in_silence() -> None:
    quiet = {"skip", "skipif", "importorskip", "xfail", "SkipTest", "skipUnless", "skipIf"}
    assert [
        f"{_name(file)}:{node.lineno}"
        for file in _modules("tests")
        if file.name != "not_run.py"
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Attribute) and node.attr in quiet
    ] == []


@pytest.mark.parametrize("pattern", [HOSTS, PLACES], ids=["registries", "places on a machine"])
def test_no_text_names_the_machine_it_was_written_on(pattern: re.Pattern[str]) -> None:
    found = []
    for file in _tracked():
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # a picture, or a roster in another encoding
            continue
        found += [f"{_name(file)}:{number}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    assert found == []


def _pins(lock: str) -> dict[str, str]:
    text = (HOUSE / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^ ]+) ", text, re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_packages_and_hashes_but_no_place_to_get_them(lock: str) -> None:
    text = (HOUSE / lock).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(_pins(lock)) > 20
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_tested_is_what_runs() -> None:
    runs, tested = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert runs.items() <= tested.items()


def test_every_package_asked_for_is_locked() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for lock, wanted in {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": [*project["dependencies"], *extras["dev"], *extras["bench"]],
    }.items():
        names = {re.split(r"[\[<>=~!; ]", line)[0].replace(".", "-") for line in wanted}
        assert names - _pins(lock).keys() == set()
