"""Which answers of mail programs are there to be read, and as what? Those of data/replies."""

from __future__ import annotations

import base64
import quopri
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "data" / "replies" / "replies.toml"
_PREAMBLE = (
    "From: =?utf-8?B?546L6Iqz?= <wangfang@qq.com>\r\nTo: tiexin+r.abc234@party.example\r\n"
    "Subject: Re: n\r\nDate: Sun, 22 Nov 2026 09:50:00 +0800\r\nMessage-ID: <{number}@qq.com>\r\n"
    "In-Reply-To: <n1@party.example>\r\nMIME-Version: 1.0\r\n"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer: the mail, the first line of its writer's own words, and all of them ("" if it does not matter)."""

    name: str
    program: str
    raw: bytes
    read: str
    whole: str = ""

    def __str__(self) -> str:
        return f"{self.program}: {self.name}"


def samples() -> list[Sample]:
    """All of them."""
    with FILE.open("rb") as file:
        entries = tomllib.load(file)["reply"]
    return [
        Sample(one["name"], one["program"], _mail(number, one), one["read"], one.get("whole", ""))
        for number, one in enumerate(entries, 1)
    ]


def _mail(number: int, entry: dict[str, str]) -> bytes:
    coding, label = entry.get("coding", "base64"), entry.get("label", "utf-8")
    content = entry["text"].replace("\n", "\r\n").encode(entry.get("codec", "utf-8"))
    if coding == "base64":
        content = base64.encodebytes(content).replace(b"\n", b"\r\n")
    elif coding == "quoted-printable":
        content = quopri.encodestring(content.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    charset = f'; charset="{label}"' if label else ""
    kind = f"Content-Type: text/{entry.get('kind', 'plain')}{charset}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    return (_PREAMBLE.format(number=number) + kind).encode() + content
