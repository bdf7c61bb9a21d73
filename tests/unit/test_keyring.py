import stat
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract.keys import SigningKey, from_base64, kid_of, open_signed
from contract.messages import EpochGrant
from orchestrator.keyring import Keyring, KeysDamaged, WrongSiteKey
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()


def test_the_sites_key_is_told_once_and_kept_nowhere(tmp_path: Path) -> None:
    secret = Keyring.open(tmp_path / "keys", NOW).site_secret
    assert secret is not None
    assert Keyring.open(tmp_path / "keys", NOW).site_secret is None
    line = secret.splitlines()[1].encode()
    assert not any(line in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_the_site_grants_the_first_epoch_to_the_plan_key(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path / "keys", NOW)
    signed = msgspec.json.encode(ring.grant().signed)
    grant = open_signed(signed, {kid_of(ring.site_public): ring.site_public}, EpochGrant)
    assert grant.epoch == ring.grant().epoch == 1
    assert from_base64(grant.plan_public) == ring.plan.public


def test_the_keys_are_the_same_at_every_opening_and_differ_from_one_another(
    tmp_path: Path,
) -> None:
    first = Keyring.open(tmp_path / "keys", NOW)
    again = Keyring.open(tmp_path / "keys", NOW)
    keys = [first.identity, first.plan, first.ticket, first.hold]
    assert [key.kid for key in keys] == [
        key.kid for key in (again.identity, again.plan, again.ticket, again.hold)
    ]
    assert len({key.kid for key in keys}) == 4
    assert first.seal.public == again.seal.public
    assert first.certificate == again.certificate


def test_every_key_is_its_owners_alone(tmp_path: Path) -> None:
    Keyring.open(tmp_path / "keys", NOW)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_the_sites_key_opens_the_next_epoch(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path / "keys", NOW)
    assert ring.site_secret
    assert ring.new_epoch(ring.site_secret, NOW + timedelta(days=1)) == 2
    assert ring.grant().epoch == 2
    assert Keyring.open(tmp_path / "keys", NOW).grant().epoch == 2


def test_a_new_epoch_lies_above_what_any_box_has_seen(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path / "keys", NOW)
    assert ring.site_secret
    assert ring.new_epoch(ring.site_secret, NOW, above=6) == 7


@pytest.mark.parametrize("pem", ["", "nonsense", SigningKey.make().pem().decode()])
def test_another_key_opens_no_epoch(tmp_path: Path, pem: str) -> None:
    ring = Keyring.open(tmp_path / "keys", NOW)
    with pytest.raises(WrongSiteKey):
        ring.new_epoch(pem, NOW)
    assert ring.grant().epoch == 1


@pytest.mark.parametrize(
    "name", ["identity.pem", "plan.pem", "seal.key", "site.json", "tls.crt", "ticket.pem"]
)
def test_a_lost_key_is_never_replaced_in_silence(tmp_path: Path, name: str) -> None:
    Keyring.open(tmp_path / "keys", NOW)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(KeysDamaged, match="backup"):
        Keyring.open(tmp_path / "keys", NOW)


def test_an_interrupted_set_up_begins_anew(tmp_path: Path) -> None:
    half = tmp_path / ".keys.new"
    half.mkdir()
    (half / "identity.pem").write_text("half")
    assert Keyring.open(tmp_path / "keys", NOW).site_secret
    assert not half.exists()


def test_no_secret_shows_in_the_keyrings_text(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path / "keys", NOW)
    assert "PRIVATE" not in repr(ring)


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(KeysDamaged, match="cannot be used"):
        Keyring.open(tmp_path / "data" / "keys", NOW)
