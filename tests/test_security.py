"""Each threat in the table of docs/security.md is tried by tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tried() -> dict[str, list[str]]:
    """Return what tries each threat, by the threat."""
    table = (ROOT / "docs" / "security.md").read_text("utf-8").partition("## What holds what")[2]
    rows = [row.split("|")[1:-1] for row in re.findall(r"^\|.*\|$", table, re.MULTILINE)[2:]]
    return {threat.strip(): re.findall(r"`([^`]+)`", tests) for threat, _, tests in rows}


def is_there(name: str) -> bool:
    """Tell whether there is a test of this name (path::Class::test), or a script of the benches."""
    path, *parts = name.split("::")
    if not (ROOT / path).is_file() or not path.startswith(("tests/", "bench/")):
        return False
    node: ast.AST | None = ast.parse((ROOT / path).read_text("utf-8"))
    for part in parts:
        inside = [one for one in ast.iter_child_nodes(node) if isinstance(one, (ast.FunctionDef, ast.ClassDef))]
        node = next((one for one in inside if one.name == part and part.lower().startswith("test")), None)
        if node is None:
            return False
    return bool(parts) or path.startswith("bench/")


def test_there_are_many_threats() -> None:
    assert len(tried()) > 20


@pytest.mark.parametrize(("threat", "names"), tried().items())
def test_a_threat_is_tried_by_tests_that_there_are(threat: str, names: list[str]) -> None:
    assert names, threat
    assert [name for name in names if not is_there(name)] == []
