"""wechat: what can be set up at the official account itself?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import Door, NothingDone, Wrong, door
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from bot.adapters.tencent_client import SafeClient
    from bot.config import WeChat

app = noun("The official account on WeChat: its menu, and the code that leads to it.")


@app.command()
def menu(
    ctx: typer.Context,
    show: bool = typer.Option(False, "--show", help="Only print it."),
    remove: bool = typer.Option(False, "--remove", help="Take it away."),
) -> None:
    """Publish the menu below the chat, made from what Tiexin can do. Phones show it within five minutes."""
    from bot.adapters.wechat_menu import written

    here = door(ctx)
    made = _menu(here)
    if show:
        here.show(made, written(made))
        return
    settings = _settings(here, "menu", "a menu")
    if remove:
        _call(here, settings, lambda client: client.get("menu/delete"))
        here.show({"removed": True}, "The menu is gone.")
        return
    _call(here, settings, lambda client: client.post("menu/create", data=made))
    here.show(made, f"{written(made)}\n\nPublished; phones show it within five minutes.")


@app.command()
def qr(
    ctx: typer.Context,
    out: Path = typer.Option(..., "--out", help="The picture: .svg or .png."),
    days: int = typer.Option(7, "--days", min=1, max=30, help="For how long it is good."),
) -> None:
    """Draw a code that leads to the account. A scan proves nothing: the binding code is asked for all the same."""
    import secrets

    here = door(ctx)
    settings = _settings(here, "qr", "a code")
    if out.suffix not in (".svg", ".png"):
        raise typer.BadParameter("ends in .svg or .png", param_hint="--out")
    wanted = {
        "expire_seconds": days * 86_400,
        "action_name": "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": secrets.token_urlsafe(24)}},
    }
    made = _call(here, settings, lambda client: client.post("qrcode/create", data=wanted))
    import segno

    segno.make(str(made["url"]), error="m").save(str(out), border=4, scale=8)
    here.show({"file": str(out), "days": days}, f"{out}, good for {days} day{'' if days == 1 else 's'}")


def _menu(here: Door) -> dict[str, Any]:
    from bot.adapters import wechat_menu
    from bot.core.reply import words

    reception, language = here.app.reception, here.app.house.language
    say = reception.renderer
    commands = {
        str(command.name): say.phrase(command.words[0], language)
        for command in reception.router.commands.values()
        if command.public
    }
    groups = {group: say.say(words(f"wechat.group_{group}"), language) for group in wechat_menu.GROUPS}
    return wechat_menu.menu(commands, groups)


def _settings(here: Door, wanted: str, called: str) -> WeChat:
    """The section [wechat] of an account that may have this. Raises Wrong and NothingDone."""
    from bot.adapters.wechat_ways import GRANTED

    settings = here.config.wechat
    if settings is None:
        raise Wrong("wechat: there is no [wechat] section; config.example.toml documents it")
    if wanted not in GRANTED[settings.kind]:
        raise NothingDone(f"wechat.kind: WeChat grants {called} to no account of the kind {settings.kind}")
    return settings


def _call(here: Door, settings: WeChat, work: Any) -> dict[str, Any]:
    """One call of the API. Raises NothingDone with WeChat's reason."""
    from bot.adapters.tencent_client import ApiError
    from bot.adapters.wechat_channel import client_for
    from bot.adapters.wechat_errors import judged
    from bot.parts import now

    def run(in_tx: Any) -> Any:
        with here.write() as tx:
            return in_tx(tx)

    client: SafeClient = client_for(settings, run, now)
    try:
        result: dict[str, Any] = work(client)
    except ApiError as error:
        reason = judged(error.code, left=error.left).reason
        raise NothingDone(f"wechat: {reason}; `tiexin check` says what to do") from None
    return result
