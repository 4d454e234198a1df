"""Who comes in: passwords, sessions, tokens, a provider's word, and signed addresses of media."""

from __future__ import annotations

import stat

import pytest

from core.access import tries
from core.access.access import COOKIE, MEDIA_WINDOW_S, Access
from core.access.policy import Policy, read
from core.access.roles import ANYBODY, MAY, Action, Identity, may
from core.access.tries import Tries
from core.errors import NotSignedIn, SettingsError, StoreError, TooMany

PASSWORDS = {"ACCESS": "password", "VIEW_PASSWORD": "look at this", "EDIT_PASSWORD": "change that"}
TOKENS = "robot:editor:0123456789abcdef, screen:viewer:fedcba9876543210"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("itsdangerous.timed.time.time", clock)
    return clock


def policy(**environ: str) -> Policy:
    return read({name: value for name, value in environ.items() if value}.get)


@pytest.fixture
def door(tmp_path, clock):
    return Access(policy(**PASSWORDS, API_TOKENS=TOKENS), tmp_path, clock=clock)


def test_viewers_watch_and_like_and_editors_may_all():
    assert MAY["viewer"] == {Action.WATCH, Action.TASTE}
    assert MAY["editor"] == set(Action)
    assert not any(may(None, action) for action in Action)


def test_open_access_takes_everybody_for_an_editor(tmp_path):
    door = Access(Policy(), tmp_path)
    assert door.identify({}, "Bearer nonsense") is ANYBODY
    assert door.sign_media("a.mp4") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_password_gives_its_role_and_the_session_says_so(door):
    for password, role in (("look at this", "viewer"), ("change that", "editor")):
        assert door.identify({COOKIE: door.sign_in(password, "here")}) == Identity(role, "password")
    assert door.identify({}) is None
    with pytest.raises(NotSignedIn):
        door.sign_in("", "here")


def test_a_session_ends_by_time_by_signing_out_and_by_another_password(door, clock, tmp_path):
    cookies = {COOKIE: door.sign_in("change that", "here")}
    clock.now += 12 * 3600 - 1
    assert door.identify(cookies)
    clock.now += 2
    assert door.identify(cookies) is None

    cookies = {COOKIE: door.sign_in("change that", "here")}
    other = {COOKIE: door.sign_in("change that", "here")}
    door.sign_out(cookies)
    assert door.identify(cookies) is None
    restarted = Access(door.policy, tmp_path, clock=clock)
    assert restarted.identify(cookies) is None
    assert restarted.identify(other)
    changed = Access(policy(**PASSWORDS | {"EDIT_PASSWORD": "something else"}), tmp_path, clock=clock)
    assert changed.identify(other) is None


@pytest.mark.parametrize("forged", ["", "x", "e30.x.y", "é", "eyJyIjoiZWRpdG9yIn0.aweN9Q.7Q_eIWmdLiwrABpCfC8ScbA3Eoo"])
def test_a_forged_session_is_nobodys(door, forged):
    assert door.identify({COOKIE: forged}) is None


def test_a_session_signed_elsewhere_is_nobodys(door, tmp_path, clock):
    elsewhere = Access(door.policy, tmp_path / "other", clock=clock)
    assert door.identify({COOKIE: elsewhere.sign_in("change that", "here")}) is None


def test_the_secret_is_this_users_alone_and_a_damaged_one_is_said(door, tmp_path):
    path = tmp_path / "access.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short")
    with pytest.raises(StoreError, match="Delete it"):
        Access(door.policy, tmp_path)


def test_tokens_name_programs_and_only_their_hash_is_kept(door):
    assert door.identify({}, "Bearer 0123456789abcdef") == Identity("editor", "token", "robot")
    assert door.identify({}, "bearer fedcba9876543210") == Identity("viewer", "token", "screen")
    for wrong in ("Bearer 0123456789abcdeX", "Basic 0123456789abcdef", "0123456789abcdef", ""):
        assert door.identify({}, wrong) is None
    assert "0123456789abcdef" not in repr(door.policy) + repr([token.sha256 for token in door.policy.tokens])


def test_a_wrong_token_is_nobodys_whatever_the_cookies_say(door):
    assert door.identify({COOKIE: door.sign_in("change that", "here")}, "Bearer wrong") is None


def test_media_open_by_a_signed_address_for_an_hour_or_two(door, clock):
    clock.now = 1_800_000_000 // MEDIA_WINDOW_S * MEDIA_WINDOW_S + 1.0
    suffix = door.sign_media("a.mp4")
    until, by = (part.partition("=")[2] for part in suffix[1:].split("&"))
    assert door.opens_media("a.mp4", until, by)
    assert not door.opens_media("b.mp4", until, by)
    assert not door.opens_media("a.mp4", str(int(until) + 1), by)
    assert not door.opens_media("a.mp4", until, by[:-1])
    assert not door.opens_media("a.mp4", "", "")
    assert not door.opens_media("a.mp4", "9" * 12, "é")
    clock.now += MEDIA_WINDOW_S - 2
    assert door.sign_media("a.mp4") == suffix  # a page drawn again goes on playing
    clock.now += MEDIA_WINDOW_S + 2
    assert not door.opens_media("a.mp4", until, by)


def test_wrong_passwords_make_an_address_wait_longer_each_time(door, monkeypatch):
    clock = Clock()
    door.tries = Tries(clock)
    for _ in range(tries.FREE):
        with pytest.raises(NotSignedIn):
            door.sign_in("guess", "there")
    waits = []
    for _ in range(3):
        with pytest.raises(TooMany) as caught:
            door.sign_in("change that", "there")
        waits.append(caught.value.retry_after_s)
        clock.now += caught.value.retry_after_s
        with pytest.raises(NotSignedIn):
            door.sign_in("guess", "there")
    assert waits == [5, 10, 20]
    assert door.sign_in("change that", "elsewhere")


def test_guessing_from_many_addresses_makes_all_wait(door):
    for number in range(tries.FREE_IN_ALL):
        with pytest.raises(NotSignedIn):
            door.sign_in("guess", f"address-{number}")
    with pytest.raises(TooMany):
        door.sign_in("change that", "elsewhere")


def test_not_every_address_is_remembered(monkeypatch):
    monkeypatch.setattr(tries, "KEPT", 10)
    counts = Tries(Clock())
    for number in range(100):
        counts.wrong(str(number))
    assert len(counts._by_address) == 10


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "Anna@Example.org"}, "editor"),
        ({"email": "ben@school.example", "email_verified": True}, "viewer"),
        ({"email": "ben@school.example", "email_verified": False}, None),
        ({"email": "x@evil-school.example"}, None),
        ({"email": "@school.example"}, None),
        ({"email": ""}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_provider_vouches_for_addresses(tmp_path, claims, role):
    members = policy(ACCESS="oidc", EDITORS="anna@example.org", VIEWERS="@school.example")
    door = Access(members, tmp_path, claims=lambda cookies, max_age_s: claims)
    found = door.identify({})
    assert (found and found.role) == role
    assert role is None or found.person == claims["email"].lower()


def test_likes_are_kept_under_a_name_that_a_taste_can_have():
    long = Identity("viewer", "oidc", f"{'a' * 60}@example.org").person
    assert long is not None
    assert len(long) == 40
    assert long != Identity("viewer", "oidc", f"{'a' * 60}@example.com").person
    assert Identity("viewer", "password").person is None


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"ACCESS": "closed"}, ["ACCESS", "open, password, oidc"]),
        ({"ACCESS": "password"}, ["EDIT_PASSWORD", "VIEW_PASSWORD"]),
        ({"ACCESS": "password", "EDIT_PASSWORD": "short"}, ["EDIT_PASSWORD", "8"]),
        (PASSWORDS | {"EDIT_PASSWORD": "look at this"}, ["the same"]),
        ({"ACCESS": "oidc"}, ["EDITORS", "VIEWERS"]),
        ({"EDITORS": "anna"}, ["EDITORS", "'anna'", "@example.org"]),
        ({"API_TOKENS": "robot:owner:0123456789abcdef"}, ["Token 1", "API_TOKENS"]),
        ({"API_TOKENS": "robot:editor:tooshort"}, ["token 1", "API_TOKENS", "16"]),
        ({"API_TOKENS": "a:editor:0123456789abcdef,a:viewer:0123456789abcdef"}, ["API_TOKENS", "named a"]),
        ({"ALLOWED_HOSTS": "https://x.org"}, ["ALLOWED_HOSTS", "https://x.org"]),
        ({"FRAME_ANCESTORS": "*; script-src *"}, ["FRAME_ANCESTORS"]),
        ({"SESSION_MINUTES": "0"}, ["SESSION_MINUTES", "from 1"]),
        ({"ACCESS_SECRET": "short"}, ["ACCESS_SECRET", "32"]),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_without_a_secret(environ, names):
    with pytest.raises(SettingsError) as caught:
        policy(**environ)
    said = str(caught.value)
    assert all(name in said for name in names)
    assert "0123456789abcdef" not in said
    assert "tooshort" not in said
