"""The exact versions for deployments are those that requirements.txt allows, all of them, each with its hashes."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
COMMAND = "uv pip compile requirements.txt --generate-hashes --python-version 3.11 -o requirements.lock"


def locked() -> dict[str, Version]:
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.M)
    return {canonicalize_name(name): Version(version) for name, version in found}


def test_what_the_app_needs_is_locked_within_its_bounds():
    versions = locked()
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text:
            asked = Requirement(text)
            version = versions.get(canonicalize_name(asked.name))
            assert version is not None and version in asked.specifier, f"{asked}: make the lock anew: {COMMAND}"  # noqa: PT018


def test_every_locked_package_has_hashes_and_comes_from_no_other_place():
    text = (ROOT / "requirements.lock").read_text()
    assert COMMAND in text
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)[1:]
    assert len(packages) == len(locked()) > 50
    for package in packages:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package[:60]
    assert not re.search(r"https?://|--index-url|--extra-index-url|file:", text)
