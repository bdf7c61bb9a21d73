"""`xunkao user`, on a SQLite file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.commands.users import app


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    (tmp_path / "xunkao.toml").write_text('data = "data"')
    (tmp_path / "secret").write_text("correct horse battery\n")
    return ["--config", str(tmp_path / "xunkao.toml")]


def _add(config: list[str], user: str, *more: str) -> Result:
    secret = Path(config[1]).with_name("secret")
    return CliRunner().invoke(app, ["add", user, "--password-file", str(secret), *more, *config])


def test_an_account_is_made_listed_and_disabled(config: list[str]) -> None:
    assert _add(config, "Chen", "--name", "陈静", "--role", "operator").exit_code == 0
    assert _add(config, "wang", "--role", "exam_office", "--role", "patrol").exit_code == 0
    assert CliRunner().invoke(app, ["list", *config]).stdout == (
        "chen\t陈静\toperator\nwang\twang\texam_office,patrol\n"
    )
    left = CliRunner().invoke(app, ["disable", "chen", "--reason", "has left", *config])
    assert left.exit_code == 0
    assert "chen\t陈静\tdisabled" in CliRunner().invoke(app, ["list", *config]).stdout


def test_the_password_is_asked_for_and_not_shown(config: list[str]) -> None:
    typed = "another good one\nanother good one\n"
    _add(config, "chen", "--role", "operator")
    done = CliRunner().invoke(app, ["password", "chen", *config], input=typed)
    assert done.exit_code == 0
    assert "another good one" not in done.output


@pytest.mark.parametrize(
    ("user", "more", "said"),
    [
        ("chen", ["--role", "sys_admin", "--role", "operator"], "stand alone"),
        ("correct", ["--role", "operator"], "the user's name"),
        ("chen", ["--role", "rector"], "rector"),
        ("chen", [], "--role"),
    ],
)
def test_what_is_refused_is_said(config: list[str], user: str, more: list[str], said: str) -> None:
    done = _add(config, user, *more)
    assert done.exit_code == 2
    assert said in done.stderr
    assert CliRunner().invoke(app, ["list", *config]).stdout == ""
