"""Who asks: passwords, sessions, tokens and addresses of media, all held to what the settings say.

A session is a cookie that itsdangerous signs: role, a random id, and a mark of the password it was got with, so that
another password ends the sessions of the one before. Signing out is remembered until the session would have ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from itsdangerous import BadData, Signer, URLSafeTimedSerializer

from core.access.policy import Policy
from core.access.roles import ANYBODY, Identity, Role
from core.access.tries import Tries
from core.errors import NotSignedIn, Sentence, StoreError, TooMany
from core.files import whole

COOKIE = "moodreel_session"
MEDIA_WINDOW_S = 3600
"""An address of media is good until the end of the window after the one it was made in: one to two hours. All that are
made in one window are the same, so that a page drawn again does not begin its videos anew."""
Claims = Callable[[Mapping[str, str], float], Mapping[str, object] | None]
"""Returns what a provider vouched for, from the cookies, if that is at most so many seconds ago."""


class Access:
    """Say on whose behalf a request comes. Safe to use from several threads."""

    def __init__(
        self,
        policy: Policy,
        data_dir: Path,
        *,
        claims: Claims = lambda cookies, max_age_s: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open it; `claims` reads the cookies of a provider's sign-in. Raises StoreError."""
        self.policy = policy
        self.tries = Tries()
        self._claims = claims
        self._clock = clock
        self._lock = threading.Lock()
        self._ended_path = data_dir / "access-ended.json"
        self._ended: dict[str, float] = {}
        secret = b""
        if not self.is_open:
            secret = policy.secret.encode() if policy.secret else _kept_secret(data_dir / "access.key")
            self._ended = self._read_ended()
        self._sessions = URLSafeTimedSerializer(
            secret or b"open", salt="session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._media = Signer(secret or b"open", salt="media", digest_method=hashlib.sha256)

    @property
    def is_open(self) -> bool:
        return self.policy.mode == "open"

    @property
    def session_s(self) -> int:
        return self.policy.session_minutes * 60

    def identify(self, cookies: Mapping[str, str], authorization: str | None = None) -> Identity | None:
        """Return on whose behalf a request with these cookies, or this Authorization header, comes; None: nobody's.

        A header that names no token of ours makes it nobody's, whatever the cookies say.
        """
        if self.is_open:
            return ANYBODY
        if authorization is not None:
            return self._of_token(authorization)
        return self._of_password(cookies) if self.policy.mode == "password" else self._of_claims(cookies)

    def sign_in(self, password: str, address: str) -> str:
        """Return the cookie of a session for a password. Raises NotSignedIn, or TooMany with how long to wait."""
        if (wait_s := self.tries.wait_s(address)) > 0:
            raise TooMany("Too many wrong passwords. Try again {soon}.", wait_s, soon=_told(wait_s))
        role: Role | None = None
        for one, known in self._passwords().items():
            # Both are compared, whole, whatever came of the first: how long it takes tells nothing.
            if hmac.compare_digest(_digest(password), _digest(known)) and role is None:
                role = one
        if role is None:
            self.tries.wrong(address)
            raise NotSignedIn("That is not the password.")
        self.tries.right(address)
        return self._sessions.dumps({"r": role, "s": secrets.token_urlsafe(12), "p": self._mark(role)})

    def sign_out(self, cookies: Mapping[str, str]) -> None:
        """End the session of these cookies, wherever else its cookie is. Raises StoreError when it cannot be kept."""
        session = self._session(cookies)
        if session is None:
            return
        now = self._clock()
        with self._lock:
            self._ended = {id_: until for id_, until in self._ended.items() if until > now}
            self._ended[session["s"]] = now + self.session_s
            try:
                with whole(self._ended_path) as part:
                    part.write_text(json.dumps(self._ended), "utf-8")
            except OSError as error:
                raise StoreError(
                    "{path} cannot be written ({why}).", path=self._ended_path, why=error.strerror
                ) from error

    def sign_media(self, key: str) -> str:
        """Return what follows an address of media so that it opens without a session, for an hour or two."""
        if self.is_open:
            return ""
        until = (int(self._clock()) // MEDIA_WINDOW_S + 2) * MEDIA_WINDOW_S
        return f"?until={until}&by={self._signature(key, str(until))}"

    def opens_media(self, key: str, until: str, by: str) -> bool:
        """Tell whether an address of media is one that was signed, for this key, and is still good."""
        if not (until.isascii() and until.isdecimal() and len(until) < 13) or int(until) <= self._clock():
            return False
        return hmac.compare_digest(self._signature(key, until).encode(), by.encode())

    def _signature(self, key: str, until: str) -> str:
        return self._media.get_signature(f"{key}\n{until}").decode()

    def _passwords(self) -> dict[Role, str]:
        found: dict[Role, str | None] = {"editor": self.policy.edit_password, "viewer": self.policy.view_password}
        return {role: password for role, password in found.items() if password}

    def _mark(self, role: Role) -> str:
        return self._media.get_signature(f"password\n{self._passwords().get(role, '')}").decode()[:16]

    def _session(self, cookies: Mapping[str, str]) -> dict[str, str] | None:
        try:
            session = self._sessions.loads(cookies.get(COOKIE, ""), max_age=self.session_s)
        except BadData:
            return None
        with self._lock:
            return None if session["s"] in self._ended else session

    def _of_password(self, cookies: Mapping[str, str]) -> Identity | None:
        session = self._session(cookies)
        if session is None:
            return None
        role: Role = "editor" if session["r"] == "editor" else "viewer"
        is_current = role in self._passwords() and hmac.compare_digest(session["p"], self._mark(role))
        return Identity(role, "password") if is_current else None

    def _of_claims(self, cookies: Mapping[str, str]) -> Identity | None:
        claims = self._claims(cookies, self.session_s)
        address = str((claims or {}).get("email") or "").strip().lower()
        # A provider that has not seen the address for itself vouches for nothing.
        if not address or (claims or {}).get("email_verified", True) not in (True, "true"):
            return None
        if _is_member(address, self.policy.editors):
            return Identity("editor", "oidc", address)
        return Identity("viewer", "oidc", address) if _is_member(address, self.policy.viewers) else None

    def _of_token(self, authorization: str) -> Identity | None:
        scheme, _, secret = authorization.partition(" ")
        digest, found = hashlib.sha256(secret.strip().encode()).digest(), None
        for token in self.policy.tokens:
            if hmac.compare_digest(digest, token.sha256):
                found = token
        if scheme.lower() != "bearer" or found is None:
            return None
        return Identity(found.role, "token", found.name)

    def _read_ended(self) -> dict[str, float]:
        try:
            return {str(id_): float(until) for id_, until in json.loads(self._ended_path.read_text("utf-8")).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise StoreError(
                "{path}, which remembers who signed out, cannot be read. Delete it, and access.key beside it, so "
                "that everybody signs in anew.",
                path=self._ended_path,
            ) from error


def _is_member(address: str, members: tuple[str, ...]) -> bool:
    name, _, domain = address.rpartition("@")
    return bool(name) and (address in members or f"@{domain}" in members)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _told(wait_s: float) -> Sentence:
    if wait_s < 120:
        return Sentence("in {seconds:.0f} s", seconds=wait_s)
    return Sentence("in {minutes:.0f} min", minutes=wait_s / 60)


def _kept_secret(path: Path) -> bytes:
    """Return the secret in a file that only this user reads; it is made when it is not there. Raises StoreError."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            making = path.with_name(f".{secrets.token_hex(8)}.part")
            with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            try:
                # It gets its name whole, and only if no other process was first.
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(making)
            finally:
                making.unlink(missing_ok=True)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise StoreError(
            "{path}, which signs sessions, cannot be used ({why}).", path=path, why=error.strerror
        ) from error
    if len(secret) < 32:
        raise StoreError("{path}, which signs sessions, is damaged. Delete it: everybody signs in anew.", path=path)
    return secret
