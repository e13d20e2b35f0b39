"""email_html: what does an HTML mail say, in plain lines?

Only as far as an answer needs it: line breaks where a reader sees them, and quoted lines marked with “>”.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = {
    "address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_UNSEEN = {"script", "style", "head", "title", "template", "noscript"}
_QUOTES = re.compile(r"gmail_quote|gmail_extra|moz-cite-prefix|yahoo_quoted|ntes-mailmaster-quote|isreplycontent")
# The library looks for the end of each in all that follows, and fails on what has none.
_COMMENTS = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_DECLARED = re.compile(r"<[!?][^>]*(?:>|\Z)")
DEPTH = 200
"""Elements inside each other that are followed; deeper ones are read as if they stood beside each other."""


def plain(html: str) -> str:
    """The text of an HTML body. Never raises."""
    tags, end, rest = _DECLARED.sub("", _COMMENTS.sub("", html)).rpartition(">")
    reader = _Reader()
    reader.feed(tags + end + rest.replace("<", "&lt;"))
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._open: list[tuple[str, bool]] = []
        self._unseen = 0
        self._quoted = 0

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._break()
            return
        if tag in _UNSEEN:
            self._unseen += 1
            return
        if tag in _BLOCKS:
            self._break(unless_empty=True)
        if tag in ("br", "hr", "img", "meta", "link", "input", "wbr", "col", "area", "base"):
            return
        names = " ".join(value or "" for name, value in attrs if name in ("class", "id")).lower()
        quotes = tag == "blockquote" or bool(_QUOTES.search(names))
        if len(self._open) < DEPTH:
            self._open.append((tag, quotes))
            self._quoted += quotes

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
            return
        if any(name == tag for name, _ in self._open):
            while self._open:
                name, quotes = self._open.pop()
                self._quoted -= quotes
                if name == tag:
                    break
        if tag in _BLOCKS:
            self._break(unless_empty=True)

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        text = re.sub(r"[ \t\r\n\f]+", " ", data)
        if self._lines[-1] in ("", "> "):
            text = text.lstrip(" ")
        self._lines[-1] = (self._lines[-1] or ("> " if self._quoted and text else "")) + text

    def _break(self, *, unless_empty: bool = False) -> None:
        if not unless_empty or self._lines[-1].strip("> "):
            self._lines.append("")
