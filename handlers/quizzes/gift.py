"""Which questions does a GIFT file hold?

`read` takes a file as Moodle writes it, or as a person does; whatever is wrong is collected, with its line, and
good questions are kept. `write` (in gift_writing.py) is the way back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from handlers.quizzes.gift_answers import Answers, Head
from handlers.quizzes.gift_blocks import Block, Unreadable, blocks, formatted
from handlers.quizzes.gift_problems import Problem
from handlers.quizzes.rules import NOTHING, Description, Question

BLANK: Final = "_____"
"""What Moodle puts where the braces stood, when words follow them: the missing word."""

# Bounded, since a comment full of “[id:” would else be searched to its end again and again.
_ID: Final = re.compile(r"\[id:((?:\\\]|[^\]\x00-\x1f\x7f]){1,255})\]")
_TAG: Final = re.compile(r"\[tag:((?:\\\]|[^\]<>`\x00-\x1f\x7f]){1,255})\]")


@dataclass(frozen=True, slots=True)
class Reading:
    """The good questions in the order of the file, and all problems in the order of their lines."""

    questions: tuple[Question, ...]
    problems: tuple[Problem, ...]

    @property
    def left_out(self) -> tuple[Problem, ...]:
        """The problems that cost a question."""
        return tuple(problem for problem in self.problems if not problem.kept)


def read(content: str | bytes) -> Reading:
    """Read a file: UTF-8 with or without byte order mark, UTF-16 with one, or GB18030. Never raises."""
    text = content if isinstance(content, str) else _decode(content)
    if text is None:
        return Reading((), (Problem("not_text", 1),))
    questions: list[Question] = []
    problems: list[Problem] = []
    found, at = list(blocks(text)), 0
    while at < len(found):
        block, at = found[at], at + 1
        torn = _torn(block, found, at)
        if torn:
            problems.append(_blank_line(block, found[at]))
            at += torn
            continue
        try:
            question, warnings = _question(block)
        except Unreadable as no:
            problems.append(no.problem)
        else:
            questions.append(question)
            problems += warnings
    if not questions and not problems:
        problems.append(Problem("nothing_in_file", 1))
    return Reading(tuple(questions), tuple(problems))


def category_path(category: str) -> tuple[str, ...]:
    """The names of a category, outermost first, without Moodle's `$course$` and `top`; `//` in a name is a slash."""
    names = [name.replace("//", "/").strip() for name in re.split(r"(?<!/)/(?!/)", category)]
    if names and re.fullmatch(r"\$[a-z]+\$", names[0]):
        del names[0]
    if len(names) > 1 and names[0] == "top":
        del names[0]
    return tuple(name for name in names if name)


def _decode(content: bytes) -> str | None:
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf_16 else ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _torn(block: Block, found: list[Block], following: int) -> int:
    """How many blocks, from `following` on, belong to braces that an empty line tore apart; 0 if none was."""
    if "{" not in block.masked or "}" in block.masked:
        return 0
    for place in range(following, len(found)):
        other = found[place]
        opened, closed = other.masked.find("{"), other.masked.find("}")
        if other.raw.lstrip().startswith("::"):
            return 0
        if closed >= 0 and not 0 <= opened < closed:
            return place + 1 - following
        if opened >= 0:
            return 0
    return 0


def _blank_line(block: Block, following: Block) -> Problem:
    opened, _ = block.place(block.masked.index("{"))
    return Problem("blank_line_inside", max(opened, following.line - 1), None, {"opened": opened})


def _question(block: Block) -> tuple[Question, list[Problem]]:
    title, start = _title(block)
    opened, closed = _braces(block, start)
    if opened is None or closed is None:
        before, after, answers = block.raw[start:], "", None
    else:
        before, after = block.raw[start:opened], block.raw[closed + 1 :]
        answers = (opened + 1, closed)
    text = formatted(before + (BLANK + after if after.strip() else ""), "moodle")
    if text == NOTHING or text.text == BLANK:
        raise Unreadable(block.problem("no_text"))
    idnumber = _ID.search(block.comments)
    head = Head(
        text=text,
        title=title,
        general=NOTHING,
        category=block.category,
        idnumber=_token(idnumber[1]) if idnumber else "",
        tags=tuple(token for found in _TAG.findall(block.comments) if (token := _token(found))),
        line=block.line,
    )
    if answers is None:
        full_width = block.raw.find("｛")
        doubts = [block.problem("full_width_braces", full_width)] if 0 <= full_width < block.raw.rfind("｝") else []
        return Description(**head), doubts
    first, last = answers
    separator = block.masked.rfind("####", first, last)
    if separator >= 0:
        head["general"] = block.text(separator + 4, last, text.format)
        last = separator
    body = Answers(block, *block.trim(first, last), text.format)
    return body.question(head), body.warnings


def _title(block: Block) -> tuple[str, int]:
    """The title, in one line, and where the text begins."""
    start = len(block.raw) - len(block.raw.lstrip())
    if not block.masked.startswith("::", start):
        return "", start
    end = block.masked.find("::", start + 2)
    if end < 0:
        raise Unreadable(block.problem("title_not_closed", start))
    return " ".join(block.words(start + 2, end).split()), end + 2


def _braces(block: Block, start: int) -> tuple[int | None, int | None]:
    """Where the answers begin and end; nowhere in a description."""
    opened = block.masked.find("{", start)
    closed = block.masked.find("}", start)
    if opened < 0 and closed < 0:
        return None, None
    if opened < 0 or 0 <= closed < opened:
        raise Unreadable(block.problem("brace_not_opened", closed))
    if closed < 0:
        raise Unreadable(block.problem("brace_not_closed", opened))
    inner = block.masked.find("{", opened + 1, closed)
    if inner >= 0:
        raise Unreadable(block.problem("brace_inside_answers", inner))
    further = block.split(closed + 1, len(block.raw), "{}")
    if further:
        raise Unreadable(block.problem("second_answer_block", further[0]))
    return opened, closed


def _token(found: str) -> str:
    return found.replace("\\]", "]").strip()
