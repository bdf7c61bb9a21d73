"""What the documents say is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_both_readmes_name_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text()
        for target in ("demo", "test"):
            assert f"make {target}" in text
            assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_decisions_have_a_status() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert decisions
    assert [page.name for page in decisions if "*Status: " not in page.read_text()] == []
