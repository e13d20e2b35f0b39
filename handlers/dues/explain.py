"""How is a figure of dues written down, so that a member can follow it?

Plain figures only; the words around them stand in the templates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from handlers.dues.rules import Assessment, Choice, Citation, Review, round_half_up


@dataclass(frozen=True, slots=True)
class Explanation:
    """The figures of one assessment as text, in yuan without a unit.

    base × percent = figure, and `due` is what is billed. `figure` is the amount before ceiling and rounding;
    `unrounded` repeats it where rounding changed it, else it is None. A `base` or `figure` without end is cut
    after the fourth decimal and marked with …. `ceiling` is set where it was applied. `over` and `up_to` are
    the edges of the bracket (None: no edge on that side). A fixed amount has only `due`. `basis` is what to
    put after 依据：, one reference per text; `quotes` is wording that may stand in quotation marks;
    `to_be_confirmed` asks for 待核.
    """

    category: str
    base: str | None
    percent: str | None
    figure: str | None
    unrounded: str | None
    due: str
    ceiling: str | None
    over: str | None
    up_to: str | None
    basis: tuple[str, ...]
    quotes: tuple[str, ...]
    to_be_confirmed: bool
    review: tuple[Review, ...]
    choices: tuple[Choice, ...]


def explain(assessment: Assessment) -> Explanation:
    """Write an assessment down."""
    bracket = assessment.bracket
    exact = assessment.exact
    rounded = "rounding" in assessment.choices
    return Explanation(
        category=assessment.category,
        base=None if assessment.base is None else figure(assessment.base),
        percent=None if assessment.rate is None else percent(assessment.rate),
        figure=None if bracket is None else figure(exact),
        unrounded=figure(exact) if rounded else None,
        due=yuan(assessment.due_fen),
        ceiling=None
        if not assessment.ceiling_applied or assessment.ceiling_fen is None
        else yuan(assessment.ceiling_fen),
        over=None if bracket is None or not bracket.over_fen else yuan(bracket.over_fen),
        up_to=None if bracket is None or bracket.up_to_fen is None else yuan(bracket.up_to_fen),
        basis=basis(assessment.articles),
        quotes=tuple(each.quote for each in assessment.articles if each.quote is not None),
        to_be_confirmed=any(each.to_be_confirmed for each in assessment.articles),
        review=assessment.review,
        choices=assessment.choices,
    )


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals: 8100 is 81.00."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def base_shown(base: Fraction) -> str:
    """A base with two decimals, rounded only for the eye."""
    return yuan(round_half_up(base))


def shortest(value: Fraction) -> str | None:
    """An exact value in its shortest decimal form (75.015), or None when it does not end."""
    rest, places = value.denominator, 0
    while rest % 10 == 0:
        rest, places = rest // 10, places + 1
    while rest % 2 == 0:
        rest, places = rest // 2, places + 1
    while rest % 5 == 0:
        rest, places = rest // 5, places + 1
    if rest != 1:
        return None
    return _digits(value, places)


def percent(rate: Fraction) -> str:
    """A rate as a percentage without more decimals than it needs: 1.5%."""
    return f"{shortest(rate * 100)}%"


def figure(value: Fraction) -> str:
    """Yuan with as many decimals as they have, at least two: 81.00, 75.015; without end: 33.3333…."""
    short = shortest(value)
    if short is None:
        return f"{_digits(Fraction(int(value * 10_000), 10_000), 4)}…"
    whole, _, decimals = short.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def basis(articles: Iterable[Citation]) -> tuple[str, ...]:
    """Articles gathered by text: 《…》（中组发〔2008〕3号）第一条、第二条."""
    found: dict[str, list[str]] = {}
    for each in articles:
        if each.title:
            found.setdefault(each.text, []).append(each.article)
    return tuple(text + "、".join(dict.fromkeys(articles)) for text, articles in found.items())


def _digits(value: Fraction, places: int) -> str:
    sign, scaled = ("-", -value) if value < 0 else ("", value)
    digits = str((scaled * 10**places).__floor__()).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
