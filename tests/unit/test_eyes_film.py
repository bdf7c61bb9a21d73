"""The last two groups of a camera's pictures, and how readers follow them."""

import asyncio

from edge.eyes.film import Film, Place
from edge.feed import AccessUnit


def unit(number: int, *, key: bool = False, run: int = 1, size: int = 10) -> AccessUnit:
    return AccessUnit("cam", "sub", "h264", key, False, number, run, number, bytes(size))


def film_of(pattern: str) -> Film:
    """A film of key pictures (K) and others (p), numbered from zero."""
    film = Film()
    for number, letter in enumerate(pattern):
        film.add(unit(number, key=letter == "K"))
    return film


def numbers(units: list[AccessUnit]) -> list[int]:
    return [unit.timestamp_90k for unit in units]


def test_a_reader_goes_back_one_group_and_follows() -> None:
    film = film_of("KppKppKp")
    newest = film.newest
    assert newest == Place(2)
    units, place = film.since(film.back(newest))
    assert numbers(units) == [3, 4, 5, 6, 7]
    film.add(unit(8))
    units, place = film.since(place)
    assert numbers(units) == [8]
    assert film.since(place) == ([], place)


def test_older_groups_are_let_go_and_their_reader_goes_on_at_the_newest() -> None:
    film = film_of("KppKppKpp")
    assert numbers(film.since(Place(0, 2))[0]) == [6, 7, 8]


def test_pictures_before_the_first_key_are_left_out() -> None:
    film = film_of("pp")
    assert film.newest is None
    assert film.since(Place(0)) == ([], Place(0))


def test_groups_of_two_runs_are_not_one_film() -> None:
    film = film_of("Kpp")
    film.add(unit(3, run=2))
    film.add(unit(4, key=True, run=2))
    newest = film.newest
    assert newest == Place(1)
    assert numbers(film.since(film.back(newest))[0]) == [4]


def test_an_endless_group_is_kept_up_to_its_limit() -> None:
    film = Film()
    film.add(unit(0, key=True, size=3 << 20))
    film.add(unit(1, size=2 << 20))
    film.add(unit(2))
    assert numbers(film.since(Place(0))[0]) == [0]


def test_after_a_break_nothing_is_given_until_the_next_key_picture() -> None:
    film = film_of("Kpp")
    film.break_off()
    film.add(unit(3))
    assert film.since(Place(0)) == ([], Place(0))
    film.add(unit(4, key=True))
    assert film.newest == Place(1)
    assert film.key(Place(1)) == unit(4, key=True)


async def test_a_reader_waits_for_the_next_picture() -> None:
    film = film_of("K")
    waiting = asyncio.create_task(film.grown())
    await asyncio.sleep(0)
    assert not waiting.done()
    film.add(unit(1))
    await waiting
