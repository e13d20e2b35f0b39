"""What may be wrong with a GIFT file, and where?

The words stand in templates; here are the names, and the values each is told with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

ProblemId = Literal[
    "not_text", "nothing_in_file",
    "title_not_closed", "no_text",
    "brace_not_closed", "brace_not_opened", "brace_inside_answers", "second_answer_block", "blank_line_inside",
    "too_few_answers", "empty_answer", "no_right_answer",
    "weight_out_of_range", "weight_after_equals",
    "pair_without_arrow", "pair_without_answer", "pair_without_stem",
    "no_number", "not_a_number", "range_reversed", "negative_tolerance", "wrong_number_marked",
    "weights_do_not_add_up", "text_before_first_mark", "full_width_braces", "same_option_twice",
]  # fmt: skip

WARNINGS: Final[frozenset[ProblemId]] = frozenset(
    {"weights_do_not_add_up", "text_before_first_mark", "full_width_braces", "same_option_twice"}
)
"""The question is kept: it is what Moodle would read, but perhaps not what was meant."""

VALUES: Final[Mapping[ProblemId, tuple[str, ...]]] = {
    "not_text": (),  # neither UTF-8 nor UTF-16 nor GB18030
    "nothing_in_file": (),
    "title_not_closed": (),  # :: at the beginning, no second ::
    "no_text": (),  # nothing is asked
    "brace_not_closed": (),
    "brace_not_opened": (),
    "brace_inside_answers": (),  # a { that should be \{
    "second_answer_block": (),  # a question has one {…}; further braces are written \{ \}
    "blank_line_inside": ("opened",),  # an empty line between { (on line `opened`) and }
    "too_few_answers": ("needed", "found"),
    "empty_answer": ("number",),  # the number-th answer, from 1
    "no_right_answer": (),
    "weight_out_of_range": ("weight",),  # in percent, -100 to 100
    "weight_after_equals": ("weight",),  # in a choice a weight follows ~, as in ~%50%
    "pair_without_arrow": ("text",),
    "pair_without_answer": ("text",),
    "pair_without_stem": (),  # in none of the pairs anything is asked
    "no_number": (),
    "not_a_number": ("text",),
    "range_reversed": ("low", "high"),
    "negative_tolerance": ("tolerance",),
    "wrong_number_marked": ("text",),  # a numerical question knows no ~wrong, only one ~#feedback at the end
    "weights_do_not_add_up": ("total",),  # in percent: the best answer does not bring 100
    "text_before_first_mark": ("text",),
    "full_width_braces": (),  # ｛ ｝ are plain words: was { } meant?
    "same_option_twice": ("text",),
}
LONGEST_EXCERPT: Final = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: line and column count from 1, `values` are those named in VALUES."""

    id: ProblemId
    line: int
    column: int | None = None
    values: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """Whether the question was read all the same."""
        return self.id in WARNINGS


def excerpt(text: str) -> str:
    """A text in one line, cut to LONGEST_EXCERPT, to show which one is meant."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EXCERPT else line[: LONGEST_EXCERPT - 1] + "…"
