"""Are answers read as what their writers meant, whatever program wrote them?"""

from __future__ import annotations

from email import policy

import pytest

from bot.adapters import email_in
from tests.fakes.mail import PROGRAMS, FakeMail
from tests.letters import VERP, WANG, door, notice
from tests.replies import Sample, samples


@pytest.mark.parametrize("sample", samples(), ids=str)
def test_a_sample_is_read_as_its_writer_meant_it(sample: Sample) -> None:
    own = email_in.read(sample.raw, "our mark").own
    assert own.first == sample.read
    if sample.whole:
        assert own.whole == sample.whole


def test_the_samples_are_many_and_of_many_programs() -> None:
    assert len(samples()) >= 30
    assert len({sample.program for sample in samples()}) >= 14


@pytest.mark.parametrize("said", ["1", "不同意", "收到", "镕㐂", "Yes", "好的\n我参加"])
@pytest.mark.parametrize("program", PROGRAMS)
async def test_an_answer_is_read_whoever_wrote_it_with_what(program: str, said: str) -> None:
    async with FakeMail() as mail, door(mail) as house:
        wang = mail.person(WANG, "王芳")
        mail.take(VERP, [WANG], notice().as_bytes(policy=policy.SMTP), None)
        await wang.replies(wang.last, said, program)
        read = email_in.read(house.raw, "our mark")
        assert (read.sender, read.machine) == (WANG, "")
        assert read.own.first == said.split("\n")[0]
