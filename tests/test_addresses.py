"""Which addresses are this machine's own."""

from core.addresses import is_loopback


def test_who_reaches_an_address():
    own = ("127.0.0.1", "localhost", "LOCALHOST", "qdrant.localhost", "::1", "[::1]", "127.9.9.9")
    assert [is_loopback(one) for one in own] == [True] * 7
    assert [is_loopback(one) for one in (None, "", "0.0.0.0", "::", "192.0.2.1", "videos.example")] == [False] * 6
