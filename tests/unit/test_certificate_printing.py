"""A certificate on paper: what people wrote is shown, never obeyed."""

from typing import get_args

import pytest

from contract.messages import GapCause
from orchestrator.certificates.document import ReasonCode, Silence
from orchestrator.certificates.printing import compiled, share
from orchestrator.certificates.words import Language, cause, reason, words
from tests.fakes.certified import END, START, chain, facts, gap, issued, known

PNG = b"\x89PNG\r\n\x1a\n"
FULL = (0, 5000), (5000, 9900)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_is_one_a4_page_in_either_language(lang: Language) -> None:
    document = issued(facts(known("cam-01", chain("cam-01", *FULL))))
    pdf = compiled(document, lang)
    assert pdf.startswith(b"%PDF-")
    assert b"/Count 1" in pdf
    assert compiled(document, lang, "png").startswith(PNG)


@pytest.mark.parametrize(
    "name", ['#panic("x")', "$ #let a = 1 $", "*b* `c` @d <e> \\", '"}', '#import "@preview/x:1"']
)
def test_what_people_wrote_is_never_read_as_layout(name: str) -> None:
    document = issued(facts(known("cam-01", chain("cam-01", *FULL)), name=name))
    assert compiled(document, "zh").startswith(b"%PDF-")


def test_many_gaps_go_on_to_further_pages() -> None:
    gaps = [gap("cam-01", n * 20 + 10, n * 20 + 20) for n in range(150)]
    segments = chain("cam-01", *((n * 20, n * 20 + 10) for n in range(150)))
    pdf = compiled(issued(facts(known("cam-01", segments, gaps))), "zh")
    assert b"/Count 1\n" not in pdf


def test_exceptions_to_silence_fit_on_it() -> None:
    silence = Silence(
        start=START, end=END, silent=False, cameras=1, segments=0, contacts=0, lead_in_us=0
    )
    document = issued(facts(known("cam-01", [], words=[]), silence=silence))
    assert compiled(document, "en").startswith(b"%PDF-")


def test_only_the_whole_is_called_a_hundred_percent() -> None:
    assert share(9_900_000_000, 9_900_000_000) == "100.00 %"
    assert share(9_899_999_999, 9_900_000_000) == "99.99 %"
    assert share(0, 0) == "—"


def test_every_text_cause_and_reason_is_said_in_both_languages() -> None:
    assert words("zh").keys() == words("en").keys()
    for code in get_args(GapCause):
        assert cause(code, "zh") not in (cause(code, "en"), code)
    for code in get_args(ReasonCode):
        assert reason(code, "zh") not in (reason(code, "en"), code)
