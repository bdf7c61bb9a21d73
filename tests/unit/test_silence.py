"""What lies outside windows, from words in any order."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ContactChanged, RecorderBegan
from contract.spans import Span
from orchestrator.certificates.document import Outside, Silence
from orchestrator.certificates.silence import Evidence, Recorded, Told, contacts_of, judge

T0 = datetime(2026, 11, 22, 0, tzinfo=UTC)
DAY = Span(T0, T0 + timedelta(hours=24))
WINDOW = Span(T0 + timedelta(hours=8), T0 + timedelta(hours=10))


def at(hours: float, seconds: float = 0) -> datetime:
    return T0 + timedelta(hours=hours, seconds=seconds)


def began(when: datetime, last_alive: datetime | None = None, seq: int = 0) -> Told:
    return Told("box-1", when, seq, RecorderBegan(began=when, last_alive=last_alive))


def contact(state: str, when: datetime, since: datetime, seq: int, clock: str = "trusted") -> Told:
    said = ContactChanged(
        camera="cam-01",
        stream="main",
        state="opened" if state == "opened" else "closed",
        since=since,
        clock="trusted" if clock == "trusted" else "untrusted",
    )
    return Told("box-1", when, seq, said)


def recorded(start: datetime, end: datetime, *, trusted: bool = True) -> Recorded:
    return Recorded(f"{start}", "cam-01", "main", "box-1", Span(start, end), trusted)


def judged(*told: Told, segments: tuple[Recorded, ...] = (), heard: datetime = DAY.end) -> Silence:
    return judge(
        Evidence(
            span=DAY,
            windows={"cam-01": [WINDOW]},
            segments=segments,
            told=[began(at(-30)), *told],
            heard_at={"box-1": heard},
        )
    )


def test_a_day_with_one_exam_is_silent_but_for_its_window() -> None:
    since, until = at(8, -110), at(10, 2)
    found = judged(
        contact("opened", since, since, 1),
        contact("closed", until, since, 2),
        segments=(recorded(at(8, -0.9), at(9)), recorded(at(9), at(10, 0.1))),
    )
    assert found.silent
    assert (found.segments, found.contacts, found.lead_in_us) == (2, 1, 900_000)


def test_a_minute_recorded_outside_is_named_alone() -> None:
    found = judged(segments=(recorded(at(9, 3570), at(10, 60)),))
    assert not found.silent
    (outside,) = found.exceptions
    assert (outside.start, outside.end) == (at(10, 2), at(10, 60))


def test_a_contact_hours_before_a_window_is_named() -> None:
    found = judged(contact("opened", at(3), at(3), 1), contact("closed", at(3, 5), at(3), 2))
    assert [(one.kind, one.start, one.end) for one in found.exceptions] == [
        ("contact", at(3), at(3, 5))
    ]


def test_what_an_untrusted_clock_recorded_is_listed_apart_and_never_hidden() -> None:
    found = judged(segments=(recorded(at(1), at(2), trusted=False),))
    assert found.exceptions == ()
    assert not found.silent
    assert [one.start for one in found.untrusted] == [at(1)]


def test_a_box_not_heard_to_the_end_proves_nothing_of_the_rest() -> None:
    found = judged(heard=at(20))
    assert not found.silent
    assert [(one.why, one.start, one.end) for one in found.unproved] == [
        ("not_heard", at(20), DAY.end)
    ]


def test_a_box_without_a_record_proves_nothing_before_it() -> None:
    evidence = Evidence(
        span=DAY,
        windows={"cam-01": []},
        told=[began(at(6))],
        heard_at={"box-1": DAY.end, "box-2": None},
    )
    assert [(one.edge, one.start, one.end, one.why) for one in judge(evidence).unproved] == [
        ("box-1", DAY.start, at(6), "no_record"),
        ("box-2", DAY.start, DAY.end, "no_record"),
    ]


def test_a_killed_recorders_sessions_ended_with_it() -> None:
    opened = contact("opened", at(9), at(9), 1)
    killed = began(at(11), last_alive=at(9, 600), seq=2)
    (found,) = contacts_of([killed, opened], {"box-1": at(12)}, DAY.end)
    assert found.span == Span(at(9), at(9, 600))


def test_a_contact_nobody_closed_lasts_until_its_box_was_heard_last() -> None:
    found = judged(contact("opened", at(9), at(9), 1), heard=DAY.end)
    assert found.exceptions == (
        Outside(
            kind="contact",
            start=at(10, 15),
            end=DAY.end,
            camera="cam-01",
            stream="main",
            edge="box-1",
        ),
    )


_spans = st.lists(
    st.tuples(st.integers(0, 86_000), st.integers(1, 4000)), max_size=8, unique_by=lambda s: s[0]
)


@given(_spans, st.randoms(use_true_random=False))
def test_words_in_any_order_and_told_twice_say_the_same(
    spans: list[tuple[int, int]], random: Random
) -> None:
    told = [began(at(-30))]
    for number, (start, length) in enumerate(spans):
        since = at(0, start)
        told.append(contact("opened", since, since, 2 * number + 1))
        told.append(contact("closed", at(0, start + length), since, 2 * number + 2))
    again = told * 2
    random.shuffle(again)
    heard: dict[str, datetime | None] = {"box-1": DAY.end}
    assert contacts_of(again, heard, DAY.end) == contacts_of(told, heard, DAY.end)


@given(_spans)
def test_what_is_named_is_what_lies_outside(spans: list[tuple[int, int]]) -> None:
    segments = tuple(recorded(at(0, start), at(0, start + length)) for start, length in spans)
    for one in judged(segments=segments).exceptions:
        assert one.start < one.end
        assert not (one.start < WINDOW.end and WINDOW.start < one.end)
