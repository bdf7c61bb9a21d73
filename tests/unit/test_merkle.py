"""Merkle roots: the vectors of RFC 6962, section 2.1."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.merkle import Merkle, leaf, node, prove
from orchestrator.evidence.verifier import root_from

# The leaves and roots of the Certificate Transparency reference tests.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_rfc_6962(count: int) -> None:
    tree = Merkle()
    for part in LEAVES[:count]:
        tree.add(part)
    assert tree.root().hex() == ROOTS[count - 1]


def test_nothing_has_the_hash_of_nothing() -> None:
    assert Merkle().root() == hashlib.sha256(b"").digest()


def by_definition(parts: list[bytes]) -> bytes:
    if len(parts) == 1:
        return leaf(parts[0])
    split = 1 << (len(parts) - 1).bit_length() - 1
    return node(by_definition(parts[:split]), by_definition(parts[split:]))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_growing_gives_what_the_definition_gives(parts: list[bytes]) -> None:
    tree = Merkle()
    for part in parts:
        tree.add(part)
    assert tree.root() == by_definition(parts)


@given(st.data())
def test_some_parts_and_their_proof_lead_to_the_root(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
    chosen = data.draw(st.sets(st.integers(0, len(parts) - 1)))
    leaves = [leaf(part) for part in parts]
    proof = prove(leaves, chosen)
    known = {number: leaves[number] for number in chosen}
    assert root_from(len(parts), known, proof) == by_definition(parts)
    assert len(proof) <= max(1, len(chosen)) * len(parts).bit_length()


@given(st.data())
def test_another_part_in_a_place_leads_elsewhere(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
    place = data.draw(st.integers(0, len(parts) - 1))
    leaves = [leaf(part) for part in parts]
    proof = prove(leaves, {place})
    assert root_from(len(parts), {place: leaf(parts[place] + b"x")}, proof) != by_definition(parts)


@given(st.integers(1, 70), st.data())
def test_a_proof_of_another_length_is_refused(count: int, data: st.DataObject) -> None:
    leaves = [leaf(bytes((n,))) for n in range(count)]
    place = data.draw(st.integers(0, count - 1))
    proof = prove(leaves, {place})
    with pytest.raises(ValueError, match="too long"):
        root_from(count, {place: leaves[place]}, [*proof, leaves[0]])
    if proof:
        with pytest.raises(ValueError, match="too short"):
            root_from(count, {place: leaves[place]}, proof[:-1])
