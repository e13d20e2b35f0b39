"""Form and ask(): the model is the dialogue."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, dataclass_transform, get_type_hints

from bot.core.action import Code
from bot.core.kinds import KINDS, Kind, Prose, kind_of
from bot.core.reply import Grade, Label, Phrase


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: the key that is stored, the label that is shown."""

    key: Code
    label: Label


# What a question may ask of the turn. Forms are declared without knowing the transaction's type, hence Any.
Choices = Callable[[Any], list[Choice]]
Default = Callable[[Any], str | None]
Condition = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form. `name` and `kind` are filled in from the class."""

    text: Phrase
    title: Phrase
    choices: Choices | None = None
    default: Default | None = None
    optional: bool = False
    when: Condition | None = None
    min_length: int = 0
    max_length: int = 4000
    files: bool = False
    name: str = ""
    kind: Kind = KINDS[str]


def ask(
    text: str,
    *,
    title: str,
    choices: Choices | None = None,
    default: Default | None = None,
    optional: bool = False,
    when: Condition | None = None,
    min_length: int = 0,
    max_length: int = 4000,
    files: bool = False,
) -> Any:
    """A question, in Chinese; `title` names it in the review.

    `choices` and `default` are asked of the turn each time; `when` sees the answers so far (texts by field
    name) and skips the question where it says no; lengths are in characters. `files`: files may be handed in as
    well as words, or instead of them (`Prose.files`).
    """
    return Question(Phrase(text), Phrase(title), choices, default, optional, when, min_length, max_length, files)


@dataclass_transform(kw_only_default=True, field_specifiers=(ask,))
class Form:
    """A dialogue of several questions. The docstring's first line is its name for people (发通知).

    Raises TypeError when the class is made: a field without `ask()`, of a type that cannot be asked for, or
    with a name that does not fit a button. `review=False` for a single question that needs no looking over.
    `decision=True`: to send it decides something for others, so it is never sent where only light actions act.
    `apart`: the answers that make it another matter: a draft for one is never gone on with for another.
    `grade`: how personal its questions and answers are; it is filled in only where that much may be shown.
    `answer_grade`: how personal the answers are where that is more; elsewhere they are taken and not repeated.
    """

    questions: ClassVar[dict[str, Question]]
    called: ClassVar[Phrase]
    lifetime: ClassVar[timedelta] = timedelta(days=3)
    review: ClassVar[bool] = True
    decision: ClassVar[bool] = False
    apart: ClassVar[tuple[str, ...]] = ()
    grade: ClassVar[Grade] = Grade.GENERAL
    answer_grade: ClassVar[Grade] = Grade.PUBLIC

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        from dataclasses import replace

        title = inspect.cleandoc(cls.__doc__ or "").split("\n")[0]
        if not title:
            raise TypeError(f"{cls.__name__}: a form's docstring is its name for people")
        cls.called = Phrase(title)
        hints = get_type_hints(cls)
        cls.questions = {}
        for name, hint in cls.__annotations__.items():
            if str(hint).startswith("ClassVar"):
                continue
            if name in Form.__annotations__:
                raise TypeError(f"{cls.__name__}.{name}: this name belongs to every form")
            question = cls.__dict__.get(name)
            if not isinstance(question, Question):
                raise TypeError(f"{cls.__name__}.{name}: a field of a form is asked for with ask()")
            if question.files and kind_of(hints[name]) is not KINDS[Prose]:
                raise TypeError(f"{cls.__name__}.{name}: files come with Prose only")
            cls.questions[name] = replace(question, name=Code(name), kind=kind_of(hints[name]))

    def __init__(self, **values: object) -> None:
        if missing := self.questions.keys() - values.keys():
            raise TypeError(f"{type(self).__name__} without {sorted(missing)}")
        self.__dict__.update(values)

    @classmethod
    def asked(cls, answers: Mapping[str, str]) -> list[Question]:
        """The questions that these answers leave standing, in order."""
        return [q for q in cls.questions.values() if q.when is None or q.when(answers)]
