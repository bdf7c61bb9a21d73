import base64
import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.keys import (
    BadSignature,
    SealBroken,
    SealKey,
    Signed,
    SigningKey,
    canonical,
    kid_of,
    open_signed,
    seal,
    sign,
    verify,
    write_private,
)
from contract.messages import Heard


def test_a_signed_document_opens_for_who_trusts_the_key() -> None:
    key = SigningKey.make()
    assert open_signed(sign(key, Heard(up_to=7)), {key.kid: key.public}, Heard) == Heard(up_to=7)


def test_a_document_of_a_stranger_is_refused() -> None:
    key, stranger = SigningKey.make(), SigningKey.make()
    with pytest.raises(BadSignature, match="no trusted key"):
        open_signed(sign(stranger, Heard(up_to=7)), {key.kid: key.public}, Heard)


def test_a_stranger_under_a_trusted_name_is_refused() -> None:
    key, stranger = SigningKey.make(), SigningKey.make()
    forged = msgspec.structs.replace(
        msgspec.json.decode(sign(stranger, Heard(up_to=7)), type=Signed), kid=key.kid
    )
    with pytest.raises(BadSignature):
        open_signed(msgspec.json.encode(forged), {key.kid: key.public}, Heard)


def test_a_changed_body_is_refused() -> None:
    key = SigningKey.make()
    changed = sign(key, Heard(up_to=7)).replace(b"7", b"8", 1)
    with pytest.raises(BadSignature):
        open_signed(changed, {key.kid: key.public}, Heard)


@given(st.binary(max_size=200))
def test_noise_is_no_signed_document(noise: bytes) -> None:
    with pytest.raises(BadSignature):
        open_signed(noise, {}, Heard)


def test_a_signature_that_is_no_base64_is_refused() -> None:
    key = SigningKey.make()
    raw = msgspec.json.encode(Signed(key.kid, '{"up_to":7}', "%%%"))
    with pytest.raises(BadSignature):
        open_signed(raw, {key.kid: key.public}, Heard)


def test_a_key_of_the_wrong_length_verifies_nothing() -> None:
    with pytest.raises(BadSignature):
        verify(b"short", b"x" * 64, b"data")


def test_the_canonical_form_knows_no_order() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == canonical({"a": {"c": 3, "d": 2}, "b": 1})


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_for_its_owner(secret: bytes) -> None:
    key = SealKey.make()
    assert key.open(seal(key.public, secret)) == secret


def test_what_is_sealed_opens_for_nobody_else() -> None:
    sealed = seal(SealKey.make().public, b"rtsp password")
    with pytest.raises(SealBroken):
        SealKey.make().open(sealed)


def test_a_changed_seal_does_not_open() -> None:
    key = SealKey.make()
    raw = bytearray(base64.b64decode(seal(key.public, b"secret")))
    raw[-1] ^= 1
    with pytest.raises(SealBroken):
        key.open(base64.b64encode(raw).decode())


@pytest.mark.parametrize("text", ["", "%%", "QUJD"])
def test_what_is_no_seal_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken):
        SealKey.make().open(text)


def test_sealing_twice_gives_two_texts() -> None:
    key = SealKey.make()
    assert seal(key.public, b"secret") != seal(key.public, b"secret")


def test_keys_come_back_from_disk_the_same(tmp_path: Path) -> None:
    key = SigningKey.load_or_make(tmp_path / "a" / "box.pem")
    assert SigningKey.load_or_make(tmp_path / "a" / "box.pem").kid == key.kid
    box = SealKey.load_or_make(tmp_path / "a" / "seal.key")
    assert SealKey.load_or_make(tmp_path / "a" / "seal.key").public == box.public


def test_a_private_file_is_its_owners_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "box.pem"
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["box.pem"]


def test_threads_that_write_the_same_file_do_not_disturb_one_another(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    contents = [bytes([number]) * 4096 for number in range(100)]
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(write_private, path, content) for content in contents]:
            done.result()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "box.pem"
    write_private(path, b"one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        write_private(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_does_not_show_in_its_text() -> None:
    key = SigningKey.make()
    assert key.pem().decode().splitlines()[1] not in repr(key)
    assert kid_of(key.public) == key.kid
