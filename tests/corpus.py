"""Real clips, on machines that have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CORPUS = Path(os.environ.get("CORPUS_DIR", Path(__file__).parents[2] / "shared" / "corpus"))

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "labels.csv").is_file(), reason=f"no corpus at {CORPUS}; set CORPUS_DIR"
)
