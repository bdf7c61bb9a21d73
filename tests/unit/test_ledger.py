"""The ledger's chain, without a database."""

from datetime import timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from contract.anchors import Anchor, Witness
from orchestrator.ledger import (
    FIRST,
    Act,
    BrokenLink,
    Entry,
    cut_off,
    first_broken,
    first_contradicted,
    hash_of,
)
from tests.fakes.clock import ManualClock

NOON = ManualClock().now()
ACTS = st.builds(Act, *[st.text(max_size=9)] * 6)


def _chain(acts: list[Act]) -> list[Entry]:
    entries: list[Entry] = []
    previous = FIRST
    for number, act in enumerate(acts, 1):
        entries.append(Entry(number, NOON, act, previous, hash_of(number, NOON, act, previous)))
        previous = entries[-1].hash
    return entries


@given(st.lists(ACTS, max_size=8))
def test_a_chain_that_nobody_touched_is_whole(acts: list[Act]) -> None:
    assert first_broken(_chain(acts), 0, FIRST) is None


@given(st.lists(ACTS, min_size=2, max_size=8), st.data())
def test_a_row_taken_out_or_exchanged_is_named(acts: list[Act], data: st.DataObject) -> None:
    chain = _chain(acts)
    at = data.draw(st.integers(0, len(chain) - 2))
    del chain[at]
    assert first_broken(chain, 0, FIRST) == BrokenLink(at + 1, "the row is missing")


@given(ACTS, ACTS)
def test_other_acts_have_other_hashes(one: Act, other: Act) -> None:
    assert (hash_of(1, NOON, one, FIRST) == hash_of(1, NOON, other, FIRST)) is (one == other)


def test_an_instant_hashes_alike_in_every_zone() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=8)))
    act = Act("a", "b", "c")
    assert hash_of(1, there, act, FIRST) == hash_of(1, NOON, act, FIRST)


def test_the_hash_is_the_same_in_every_version() -> None:
    act = Act("chen", "see_live", "A101", "巡考", "ok", "10.0.0.9")
    assert hash_of(1, NOON, act, FIRST) == (
        "a96d3397c6522c983e2145d8ee52cacdce723230b2f932144c8db6be5fee9c69"
    )


def _seen(*entries: Entry) -> dict[int, list[Witness]]:
    return {
        entry.id: [Witness(Anchor(row=entry.id, hash=entry.hash, at=NOON), "b1")]
        for entry in entries
    }


@given(st.lists(ACTS, min_size=1, max_size=8), ACTS, st.data())
def test_a_chain_computed_anew_is_whole_in_itself_and_contradicted_by_every_later_anchor(
    acts: list[Act], other: Act, data: st.DataObject
) -> None:
    honest = _chain(acts)
    changed = data.draw(st.integers(0, len(acts) - 1))
    anchored = data.draw(st.sets(st.integers(0, len(acts) - 1)))
    anew = _chain([*acts[:changed], other, *acts[changed + 1 :]])
    assert first_broken(anew, 0, FIRST) is None
    seen = _seen(*(honest[place] for place in anchored))
    broken, confirmed = first_contradicted(anew, seen, 0)
    later = [place + 1 for place in sorted(anchored) if place >= changed]
    if other == acts[changed] or not later:
        assert broken is None
        return
    assert broken is not None
    assert (broken.id, confirmed) == (
        later[0],
        max((place + 1 for place in anchored if place < changed), default=0),
    )
    assert f"between rows {confirmed + 1} and {later[0]}" in broken.why


@given(st.integers(0, 20), st.sets(st.integers(1, 20)))
def test_what_was_cut_off_shows_as_far_as_anybody_saw_it(last: int, rows: set[int]) -> None:
    seen = _seen(*(Entry(row, NOON, Act("a", "b", "c"), FIRST, "0" * 64) for row in rows))
    broken = cut_off(last, seen)
    if max(rows, default=0) <= last:
        assert broken is None
    else:
        assert broken is not None
        assert broken.id == last + 1
        assert f"up to row {max(rows)} that b1" in broken.why
