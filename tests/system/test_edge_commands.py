import asyncio
import re
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from contract.enrolment import Code
from orchestrator.commands import edges, epoch
from orchestrator.config import load
from orchestrator.keyring import Keyring
from orchestrator.ledger import Ledger
from orchestrator.store import Store
from tests.fakes.clock import ManualClock

NOW = ManualClock().now()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "xunkao.toml"
    path.write_text('data = "data"\n')
    return path


@pytest.fixture
def site_key(config: Path, tmp_path: Path) -> Path:
    secret = Keyring.open(load(config).keys, NOW).site_secret
    assert secret
    (tmp_path / "site.pem").write_text(secret)
    return tmp_path / "site.pem"


def said(app: Typer, *words: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == exit_code, result.output
    return result.output


def written(config: Path, action: str) -> list[tuple[str, str]]:
    """Give result and reason of the ledger's rows of one action."""

    async def read() -> list[tuple[str, str]]:
        async with Store.open(load(config).database_url) as store:
            entries = await Ledger(store, ManualClock()).entries()
        return [(row.act.result, row.act.reason) for row in entries if row.act.action == action]

    return asyncio.run(read())


def test_a_box_is_invited_listed_and_revoked(config: Path, site_key: Path) -> None:
    text = said(edges.app, "invite", "b1", "--config", config)
    found = re.search(r"XK1:\S+", text)
    assert found
    assert Code.parse(found[0]).edge == "b1"
    assert said(edges.app, "list", "--config", config) == "b1\tnamed\t-\n"
    said(edges.app, "revoke", "b1", "--reason", "stolen", "--config", config)
    assert said(edges.app, "list", "--config", config) == "b1\trevoked\t-\n"


def test_a_box_is_revoked_without_a_reason_too(config: Path, site_key: Path) -> None:
    said(edges.app, "invite", "b1", "--config", config)
    said(edges.app, "revoke", "b1", "--config", config)
    assert written(config, "revoke_edge") == [("ok", edges.NO_REASON)]


def test_a_bad_id_and_an_unknown_box_are_said_in_one_line(config: Path, site_key: Path) -> None:
    assert "cannot be the id" in said(edges.app, "invite", "a/b", "--config", config, exit_code=2)
    nobody = ("revoke", "nobody", "--reason", "why", "--config", config)
    assert "there is no box nobody" in said(edges.app, *nobody, exit_code=2)


def test_before_the_first_start_nobody_is_invited(config: Path) -> None:
    text = said(edges.app, "invite", "b1", "--config", config, exit_code=2)
    assert "start the centre once" in text


def test_the_sites_key_opens_the_next_epoch(config: Path, site_key: Path) -> None:
    text = said(epoch.app, "new", "--site-key", site_key, "--config", config)
    assert text == "epoch 2 is open\n"
    assert written(config, "open_epoch") == [("ok", "")]
    above = ("new", "--site-key", site_key, "--above", 8, "--config", config)
    assert said(epoch.app, *above) == "epoch 9 is open\n"


def test_another_key_opens_none(config: Path, site_key: Path) -> None:
    site_key.write_bytes(Keyring.open(load(config).keys, NOW).plan.pem())
    text = said(epoch.app, "new", "--site-key", site_key, "--config", config, exit_code=2)
    assert "not the offline key" in text
    assert written(config, "open_epoch") == [("wrong_site_key", "")]


def test_a_missing_key_file_is_named(config: Path, site_key: Path, tmp_path: Path) -> None:
    missing = ("new", "--site-key", tmp_path / "gone.pem", "--config", config)
    assert "gone.pem" in said(epoch.app, *missing, exit_code=2)
