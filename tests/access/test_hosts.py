"""Under which names the app is asked for, and from which pages."""

import pytest

from core.access.hosts import is_allowed_host, is_own_origin


@pytest.mark.parametrize(
    ("host", "allowed", "passes"),
    [
        ("anything.example", (), True),
        ("videos.example", ("videos.example",), True),
        ("VIDEOS.example.:8501", ("videos.example",), True),
        ("localhost:8501", ("videos.example",), True),
        ("[::1]:8501", ("videos.example",), True),
        ("evil.example", ("videos.example",), False),
        ("videos.example.evil.example", ("videos.example",), False),
        ("a.videos.example", ("*.videos.example",), True),
        ("videos.example", ("*.videos.example",), False),
        ("videos.example@evil.example", ("videos.example",), False),
        ("videos.example/x", ("videos.example",), False),
        ("videos.example:x", ("videos.example",), False),
        ("", ("videos.example",), False),
        (None, ("videos.example",), False),
    ],
)
def test_only_allowed_names(host, allowed, passes):
    assert is_allowed_host(host, allowed) is passes


def test_origins_are_ours_or_no_browsers():
    hosts = {"videos.example:8501", None}
    assert is_own_origin(None, hosts)
    assert is_own_origin("https://videos.example:8501", hosts)
    for origin in (
        "null",
        "",
        "https://evil.example",
        "https://videos.example",
        "https://videos.example:8501.evil",
        "http://[",
    ):
        assert not is_own_origin(origin, hosts)
