"""cards: what does a template card look like, and which cards does WeCom refuse?"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from tests.fakes.wecom.errors import BAD_PARAMETER, ApiError, Json
from tests.fakes.wecom.limits import Limits
from tests.fakes.wecom.model import Button, Look, Option, Question

INTERACTIVE = ("button_interaction", "vote_interaction", "multiple_interaction")
_KINDS = (*INTERACTIVE, "text_notice", "news_notice")
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]+")


def bad(field: str) -> ApiError:
    return ApiError(BAD_PARAMETER, f"invalid Request Parameter, invalid template_card {field}")


def task_id(card: Json, limits: Limits) -> str:
    """The card's own id. Raises ApiError for one with other letters, or too long, or missing where one is needed."""
    text = str(card.get("task_id") or "")
    if not text and card.get("card_type") not in INTERACTIVE:
        return ""
    if not _TASK_ID.fullmatch(text) or len(text.encode()) > limits.task_id_bytes:
        raise bad("task_id")
    return text


def look(card: Any, limits: Limits) -> Look:
    """How the card looks. Raises ApiError 40058 for what a card may not be."""
    if not isinstance(card, dict) or card.get("card_type") not in _KINDS:
        raise bad("card_type")
    kind = str(card["card_type"])
    title = card.get("main_title") or {}
    shown = Look(
        kind, str(title.get("title") or ""), str(title.get("desc") or ""), str(card.get("sub_title_text") or ""),
        replaced=str(card.get("replace_text") or ""),
    )  # fmt: skip
    if kind in INTERACTIVE and not shown.title:
        raise bad("main_title.title")
    if kind == "text_notice" and not (shown.title or shown.text):
        raise bad("sub_title_text")
    if kind in ("text_notice", "news_notice") and not card.get("card_action"):
        raise bad("card_action")
    if kind == "button_interaction":
        return _with(shown, buttons=_buttons(card.get("button_list"), limits))
    if kind == "vote_interaction":
        return _with(shown, questions=(_vote(card.get("checkbox"), limits),), submit=_submit(card, limits))
    if kind == "multiple_interaction":
        return _with(shown, questions=_selections(card.get("select_list"), limits), submit=_submit(card, limits))
    return shown


def _with(shown: Look, **parts: Any) -> Look:
    return Look(**{**shown.__dict__, **parts})


def _buttons(listed: Any, limits: Limits) -> tuple[Button, ...]:
    if not isinstance(listed, list) or not 1 <= len(listed) <= limits.buttons:
        raise bad("button_list")
    return tuple(_button(one, limits) for one in listed)


def _button(raw: Any, limits: Limits) -> Button:
    if not isinstance(raw, dict) or not raw.get("text"):
        raise bad("button_list.text")
    if raw.get("type") == 1:
        if not str(raw.get("url") or "").startswith(("http://", "https://")):
            raise bad("button_list.url")
        return Button(str(raw["text"]), url=str(raw["url"]))
    key = str(raw.get("key") or "")
    if not 1 <= len(key.encode()) <= limits.key_bytes:
        raise bad("button_list.key")
    return Button(str(raw["text"]), key)


def _submit(card: Json, limits: Limits) -> Button:
    raw = card.get("submit_button")
    if not isinstance(raw, dict):
        raise bad("submit_button")
    return _button({"type": 0, **raw}, limits)


def _vote(box: Any, limits: Limits) -> Question:
    if not isinstance(box, dict) or not box.get("question_key"):
        raise bad("checkbox.question_key")
    options = _options(box.get("option_list"), limits.options, limits)
    disabled = bool(box.get("disable"))
    return Question(str(box["question_key"]), options, several=box.get("mode") == 1, disabled=disabled)


def _selections(listed: Any, limits: Limits) -> tuple[Question, ...]:
    if not isinstance(listed, list) or not 1 <= len(listed) <= limits.selections:
        raise bad("select_list")
    return tuple(
        Question(
            str(one.get("question_key") or ""),
            _options(one.get("option_list"), limits.selection_options, limits),
            title=str(one.get("title") or ""),
        )
        for one in listed
    )


def _options(listed: Any, most: int, limits: Limits) -> tuple[Option, ...]:
    if not isinstance(listed, list) or not 1 <= len(listed) <= most:
        raise bad("option_list")
    options = tuple(
        Option(str(one.get("id") or ""), str(one.get("text") or ""), bool(one.get("is_checked"))) for one in listed
    )
    if len({option.id for option in options}) != len(options):
        raise bad("option_list.id repeated")
    for option in options:
        if not option.text or not 1 <= len(option.id.encode()) <= limits.option_id_bytes:
            raise bad("option_list.id")
    return options


# -- a card in the answer to a push ----------------------------------------------------------------------------

_NAMES = {
    "CardType": "card_type", "MainTitle": "main_title", "Title": "title", "Desc": "desc", "Url": "url",
    "SubTitleText": "sub_title_text", "ButtonList": "button_list", "Text": "text", "Key": "key", "Type": "type",
    "Style": "style", "CheckBox": "checkbox", "QuestionKey": "question_key", "OptionList": "option_list", "Id": "id",
    "IsChecked": "is_checked", "Mode": "mode", "Disable": "disable", "SubmitButton": "submit_button",
    "SelectList": "select_list", "ReplaceText": "replace_text", "CardAction": "card_action", "TaskId": "task_id",
}  # fmt: skip
_LISTS = ("button_list", "option_list", "select_list")
_NUMBERS = ("type", "style", "mode")
_TRUTHS = ("is_checked", "disable")


def from_xml(element: Element) -> Any:
    """The JSON that the XML of a card stands for: other names, and a list is the element repeated."""
    if not len(element):
        return element.text or ""
    card: Json = {}
    for child in element:
        if child.tag not in _NAMES:
            raise bad(f"element {child.tag}")
        name, inner = _NAMES[child.tag], from_xml(child)
        if name in _LISTS:
            card.setdefault(name, []).append(inner)
        elif name in card:
            raise bad(f"element {child.tag} twice")
        else:
            card[name] = int(inner) if name in _NUMBERS else inner == "true" if name in _TRUTHS else inner
    return card
