"""The tests of the command line and of the pages need no Playwright: they are found where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLLECT = """
import sys
sys.modules["playwright"] = None  # importing it now fails as if it was not installed
import pytest
sys.exit(pytest.main(["--collect-only", "-q", *sys.argv[1:]]))
"""


def test_they_are_found_without_playwright():
    result = subprocess.run(
        [sys.executable, "-c", COLLECT, "tests/test_cli.py", "tests/pages"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:]
    for file in ("tests/test_cli.py", "tests/pages/test_discover.py", "tests/pages/test_ingest.py"):
        assert file in result.stdout
