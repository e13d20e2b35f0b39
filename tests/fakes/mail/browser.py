"""browser: what do a person's browser and a gateway's scanner do with the links of a mail?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import aiohttp

from tests.fakes.mail.model import Mail

_SUBMITS_ITSELF = re.compile(r"\.submit\(\)|\bonload=|http-equiv=.refresh")


@dataclass
class Form:
    """A form of a page: where it goes, what it carries, and its buttons as (label, name, value)."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._button: tuple[str, str] | None = None
        self._label: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values.get("action", ""), values.get("method", "get").lower()))
        if not self.found:
            return
        name, value, kind = values.get("name", ""), values.get("value", ""), values.get("type", "text")
        if tag == "input" and kind in ("checkbox", "radio"):
            self.found[-1].boxes.setdefault(name, value or "on")
        elif tag == "input" and kind == "submit":
            self.found[-1].buttons.append((value, name, value))
        elif tag == "input" and name:
            self.found[-1].fields[name] = value
        elif tag == "button":
            self._button, self._label = (name, value), []

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._label.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self._button is not None and self.found:
            self.found[-1].buttons.append(("".join(self._label).strip(), *self._button))
            self._button = None


@dataclass
class Page:
    """What the browser shows: the status, the address after all redirections, and the page."""

    browser: Browser
    status: int
    url: str
    text: str

    @property
    def forms(self) -> list[Form]:
        reader = _Forms()
        reader.feed(self.text)
        reader.close()
        return [form for form in reader.found if form.method == "post"]

    async def presses(self, button: str = "") -> Page:
        """Tick every box and press the button with this label, "" being the first there is."""
        for form in self.forms:
            for label, name, value in form.buttons:
                if button in label:
                    data = form.fields | form.boxes | ({name: value} if name else {})
                    return await self.browser.post(urljoin(self.url, form.action), data, self.url)
        raise AssertionError(f"no button {button!r} on the page: {[form.buttons for form in self.forms]}")


class Browser:
    """A browser that keeps its cookies, also over plain HTTP to an IP address."""

    def __init__(self, language: str = "zh-CN") -> None:
        self._jar: dict[str, str] = {}
        self._language = language

    async def get(self, url: str) -> Page:
        return await self._fetch("GET", url, None, "")

    async def head(self, url: str) -> Page:
        return await self._fetch("HEAD", url, None, "")

    async def post(self, url: str, data: dict[str, str], referrer: str = "") -> Page:
        return await self._fetch("POST", url, data, referrer)

    async def _fetch(self, method: str, url: str, data: dict[str, str] | None, referrer: str) -> Page:
        headers = {"Accept-Language": self._language}
        if referrer:
            parts = urlsplit(referrer)
            headers |= {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin"}
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, cookies=self._jar, headers=headers) as session:
            async with session.request(method, url, data=data) as response:
                page = Page(self, response.status, str(response.url), await response.text())
            self._jar |= {cookie.key: cookie.value for cookie in jar}
        return page


class Scanner:
    """A security gateway that opens every link of a mail before its reader does, and submits what it can."""

    async def visits(self, mail: Mail, *, scripts: bool = False) -> list[int]:
        """HEAD and GET every link, twice; the statuses. `scripts`: as one that runs the page's scripts does."""
        seen = []
        for _, url in dict.fromkeys(mail.links):
            if not url.startswith("http"):
                continue
            browser = Browser()
            seen.append((await browser.head(url)).status)
            for _ in range(2):
                page = await browser.get(url)
                seen.append(page.status)
                if scripts:
                    assert not re.search(r"\.submit\(\)|\bonload=|http-equiv=.refresh", page.text), (
                        "it submits itself"
                    )
        return seen
