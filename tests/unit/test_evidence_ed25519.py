"""The verifier's own Ed25519: the vectors of RFC 8032, section 7.1, and `cryptography`'s word."""

import base64
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.keys import SigningKey
from contract.keys import kid_of as contract_kid
from orchestrator.evidence.verifier import is_signed, kid_of, read_key

# TEST 1, 2, 3 and SHA(abc): public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]
_ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc_are_good(public: str, message: str, signature: str) -> None:
    assert is_signed(*map(bytes.fromhex, (public, signature, message)))


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_nothing_else_is(public: str, message: str, signature: str) -> None:
    key, sig, said = map(bytes.fromhex, (public, signature, message))
    assert not is_signed(key, sig, said + b"x")
    assert not is_signed(key, sig[:-1], said)
    larger = int.from_bytes(sig[32:], "little") + _ORDER
    assert not is_signed(key, sig[:32] + larger.to_bytes(32, "little"), said)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 2**96 * 8 - 1), st.binary(min_size=32, max_size=32))
def test_it_says_what_cryptography_says(message: bytes, bit: int, seed: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    signature = private.sign(message)
    assert is_signed(public, signature, message)
    whole = bytearray(public + signature)
    whole[bit % len(whole)] ^= 1 << bit % 8
    changed_key, changed_signature = bytes(whole[:32]), bytes(whole[32:])
    assert is_signed(changed_key, changed_signature, message) is _as_cryptography(
        changed_key, changed_signature, message
    )


def _as_cryptography(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_key_is_read_in_every_usual_form(tmp_path: Path) -> None:
    key = SigningKey.make()
    pem = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key.pem").write_bytes(pem)
    encoded = base64.b64encode(key.public).decode()
    for form in (encoded, key.public.hex(), pem.decode(), str(tmp_path / "key.pem")):
        assert read_key(form) == key.public
    assert kid_of(key.public) == contract_kid(key.public)


@pytest.mark.parametrize("text", ["", "no key", "ab" * 31, "/"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an Ed25519 public key"):
        read_key(text)
