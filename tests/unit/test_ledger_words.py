"""Every act that the ledger may hold has words in both languages of the page."""

import ast
import re
from pathlib import Path

import pytest

from orchestrator.access import Action

ROOT = Path(__file__).parents[2]


def written() -> set[str]:
    """The acts that the centre writes, as they stand in its source."""
    found = {action.value for action in Action}
    for folder in ("orchestrator", "web"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                if node.func.id == "Act" and len(node.args) > 1:
                    texts = ast.walk(node.args[1])
                    found |= {str(one.value) for one in texts if isinstance(one, ast.Constant)}
    return found


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_act_has_its_words(language: str) -> None:
    text = (ROOT / "web" / "ui" / "src" / "locales" / f"{language}.ts").read_text()
    block = re.search(r"\n    actions: \{\n(.*?)\n    \},", text, re.DOTALL)
    assert block is not None
    said = set(re.findall(r"^\s+(\w+):", block[1], re.MULTILINE))
    acts = {act for act in written() if re.fullmatch(r"[a-z]+(_[a-z]+)+", act)}
    assert len(acts) > 50
    assert "propose_release" in said
    assert acts - said == set()
