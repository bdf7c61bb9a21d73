"""The centre's configuration."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

import edge.config
import orchestrator.config
from contract.bus import BrokerAddress
from orchestrator.config import BROKER_PASSWORD, DATABASE_PASSWORD, ConfigError, load

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/config.md").read_text()
XUNKAO, EDGE = REFERENCE.split("\n## `edge.toml`")


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "xunkao.toml"
    path.write_text(text)
    return path


def test_a_file_that_names_its_folder_alone_will_do(tmp_path: Path) -> None:
    config = load(_file(tmp_path, 'data = "data"'), {})
    assert config.data == tmp_path / "data"
    assert config.keys == tmp_path / "data/keys"
    assert config.database_url == f"sqlite:///{tmp_path}/data/centre.sqlite"
    assert config.address == ("127.0.0.1", 8080)
    assert config.url == "http://127.0.0.1:8080"
    assert config.zone.key == "Asia/Shanghai"
    assert (config.lead_in_minutes, config.lead_out_minutes) == (30, 15)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('colour = "red"', "colour"),
        ("[broker]\nprt = 1", "prt"),
        ("[broker]\nport = 70000", "broker.port"),
        ("lead_in_minutes = -1", "lead_in_minutes"),
        ("lead_in_minutes = 'x'", "lead_in_minutes"),
        ('camera_subnets = ["10.0.0.1/8"]', "camera_subnets"),
        ('trusted_proxies = ["proxy"]', "trusted_proxies"),
        ('timezone = "Mars/Olympus"', "timezone"),
        ('listen = "8080"', "listen"),
        ('listen = "127.0.0.1:99999"', "listen"),
        ('public_url = "xunkao.example"', "public_url"),
        ('[database]\nurl = "mysql://x/y"', "database.url"),
        ('[database]\npassword_file = "none"', "none"),
        ("sign_in = 3", "sign_in"),
        ("not toml", "line 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = _file(tmp_path, f'data = "data"\n{text}')
    with pytest.raises(ConfigError, match=named) as refused:
        load(path, {})
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "segment_seconds = 0",
        "segment_seconds = 1",
        "segment_seconds = 601",
        "minimum_free_bytes = -1",
    ],
)
def test_a_length_or_room_that_cannot_be_is_refused_by_a_box(tmp_path: Path, text: str) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(f'edge = "b1"\ndata = "data"\nurl = "https://b1"\n{text}')
    with pytest.raises(edge.config.ConfigError, match=text.split(maxsplit=1)[0]):
        edge.config.load(path)


def test_a_folder_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\$\.data"):
        load(_file(tmp_path, "data = 3"), {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load(tmp_path / "none.toml", {})


POSTGRESQL = 'data = "data"\n[database]\nurl = "postgresql://xunkao@db/xunkao"\n'


def test_the_database_password_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss/word\n")
    config = load(_file(tmp_path, POSTGRESQL + 'password_file = "secret"'), {})
    assert config.database_url == "postgresql://xunkao:p%40ss%2Fword@db/xunkao"


def test_the_database_password_comes_from_the_environment(tmp_path: Path) -> None:
    config = load(_file(tmp_path, POSTGRESQL), {DATABASE_PASSWORD: "secret"})
    assert config.database_url == "postgresql://xunkao:secret@db/xunkao"


def test_a_password_in_the_file_itself_is_refused(tmp_path: Path) -> None:
    text = 'data = "d"\n[database]\nurl = "postgresql://xunkao:planted@db/xunkao"'
    with pytest.raises(ConfigError, match=r"database\.url") as refused:
        load(_file(tmp_path, text), {})
    assert "planted" not in str(refused.value)


OUTSIDE = 'data = "data"\n[broker]\nurl = "mqtts://xunkao@mq.example.edu.cn"\n'


def test_an_outside_broker_is_reached_by_one_url_and_a_password_from_elsewhere(
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_text("p@ss/word\n")
    from_file = load(_file(tmp_path, OUTSIDE + 'password_file = "secret"'), {}).broker.outside()
    assert from_file == BrokerAddress(
        "mq.example.edu.cn", 8883, "xunkao", "p@ss/word", "", named=True
    )
    assert "p@ss" not in repr(from_file)
    environment = load(_file(tmp_path, OUTSIDE), {BROKER_PASSWORD: "secret"}).broker.outside()
    assert environment is not None
    assert environment.password == "secret"
    assert load(_file(tmp_path, 'data = "data"'), {}).broker.outside() is None


@pytest.mark.parametrize(
    ("broker", "named"),
    [
        ('url = "mqtts://xunkao@mq"', "no password"),
        ('url = "mqtts://xunkao:planted@mq"', r"broker\.url"),
        ('url = "mqtt://xunkao@mq"', "TLS"),
        ('url = "mqtts://mq"', r"broker\.url"),
        ('url = "wss://xunkao@mq"', r"broker\.url"),
        ('url = "mqtts://xunkao@mq:99999"', r"broker\.url"),
        ('url = "mqtts://xunkao@mq/path"', r"broker\.url"),
        ('url = "mqtts://xunkao@mq"\ntls_port = 8883', r"broker\.tls_port"),
        ('url = "mqtts://xunkao@mq"\npassword_file = "none"', "none"),
        ('asking_secret_file = "short"', "outside"),
    ],
)
def test_a_broker_that_cannot_be_used_so_is_refused(
    tmp_path: Path, broker: str, named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        load(_file(tmp_path, f'data = "data"\n[broker]\n{broker}'), {})
    assert "planted" not in str(refused.value)


def test_what_a_broker_shows_that_asks_is_no_short_word(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 32 + "\n")
    (tmp_path / "short").write_text("swordfish\n")
    environment = {BROKER_PASSWORD: "secret"}
    text = OUTSIDE + 'asking_secret_file = "secret"'
    assert load(_file(tmp_path, text), environment).broker.asking_secret() == "s" * 32
    with pytest.raises(ConfigError, match="32 characters") as refused:
        load(_file(tmp_path, OUTSIDE + 'asking_secret_file = "short"'), environment)
    assert "swordfish" not in str(refused.value)


def test_authorities_that_are_none_are_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    text = OUTSIDE + 'ca_file = "ca.pem"'
    with pytest.raises(ConfigError, match=r"broker\.ca_file.*ca\.pem"):
        load(_file(tmp_path, text), {BROKER_PASSWORD: "secret"})


def _keys(kind: type[msgspec.Struct], before: str = "") -> list[str]:
    keys: list[str] = []
    for field in msgspec.structs.fields(kind):
        name = before + field.name
        kinds = get_args(field.type) or (field.type,)  # a table may be left out
        tables = [k for k in kinds if isinstance(k, type) and issubclass(k, msgspec.Struct)]
        keys += _keys(tables[0], f"{name}.") if tables else [name]
    return keys


@pytest.mark.parametrize("key", _keys(orchestrator.config.Config))
def test_every_key_of_the_centre_is_documented(key: str) -> None:
    assert f"| `{key}` |" in XUNKAO


@pytest.mark.parametrize("key", _keys(edge.config.EdgeConfig))
def test_every_key_of_the_box_is_documented(key: str) -> None:
    assert f"| `{key}` |" in EDGE


@pytest.mark.parametrize(
    ("text", "kind"), [(XUNKAO, orchestrator.config.Config), (EDGE, edge.config.EdgeConfig)]
)
def test_no_key_is_documented_that_is_not_there(text: str, kind: type[msgspec.Struct]) -> None:
    documented = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert documented == set(_keys(kind))


def test_the_examples_in_the_reference_are_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/database").write_text("secret\n")
    centre = XUNKAO.split("```toml\n")[1].split("```")[0]
    assert load(_file(tmp_path, centre), {}).site_name == "桂花大学考试中心"
    box = EDGE.split("```toml\n")[1].split("```")[0]
    assert edge.config.load(_file(tmp_path, box)).edge == "box-1"
