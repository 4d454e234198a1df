"""What TwelveLabs and the way to it say when something goes wrong, as one sentence each for a person.

The cause of an error is left off on purpose: the SDK prints the whole answer, which may quote a signed address.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping

import httpx
from pydantic import ValidationError
from twelvelabs.core.api_error import ApiError

from core.errors import AppError, EncoderError, EncoderPaused, Sentence, Unavailable

SDK_ERRORS = (ApiError, httpx.HTTPError, ValidationError)
_EXHAUSTED = re.compile(r"usage limit|quota|\bcredits?\b|billing|payment|(paid|free) plan|plan limit", re.IGNORECASE)
"""In what it says where the plan is used up, whatever the status: 402, 403, 400 and 429 all occur."""
_KEYS_PAGE = "https://playground.twelvelabs.io/dashboard/api-keys"


class NotThere(EncoderError):
    """The service does not know what was asked for (404)."""


class CannotFetch(EncoderError):
    """The service could not read the address that it was given."""


class Sentences:
    """Turn what the SDK raises into a sentence; knows the key, to keep it out of them."""

    def __init__(self, key: str, elsewhere: bool) -> None:
        """`elsewhere` says that another address than TwelveLabs's own is asked."""
        self._key, self._elsewhere = key, elsewhere

    @contextlib.contextmanager
    def translated(self, what: str = "this") -> Iterator[None]:
        """Turn what the SDK raises in this block into a sentence."""
        try:
            yield
        except SDK_ERRORS as error:
            raise self.of(error, what) from None

    def of(self, error: Exception, what: str) -> AppError:
        if isinstance(error, ValidationError):
            return EncoderError(
                "TwelveLabs answered in a form that this app does not know. Update the twelvelabs package, or check "
                "{check}.",
                check=Sentence("TWELVELABS_BASE_URL" if self._elsewhere else "for a proxy on the way to it"),
            )
        if not isinstance(error, ApiError):
            check = Sentence("TWELVELABS_BASE_URL" if self._elsewhere else "the network")
            if isinstance(error, httpx.TimeoutException):
                return Unavailable("TwelveLabs does not answer in time. Check {check}.", check=check)
            return Unavailable("TwelveLabs does not answer. Check {check}.", check=check)
        return self._answer_sentence(error, what)

    def _answer_sentence(self, error: ApiError, what: str) -> AppError:
        status, said = error.status_code or 0, self.clean(_message(error.body))
        if status == 401:
            return EncoderPaused(
                "TwelveLabs does not know the key in TWELVE_LABS_API_KEY. Copy a valid one from {page} and start "
                "the app again, or have this one allowed again.",
                page=_KEYS_PAGE,
            )
        if status in (402, 403) or (status in (400, 429) and _EXHAUSTED.search(f"{_code(error.body)} {said}")):
            return EncoderPaused(
                "TwelveLabs does not allow {what}: {said} Check the plan behind the key in TWELVE_LABS_API_KEY.",
                retry_after_s=_retry_after_s(error.headers or {}),
                what=Sentence(what),
                said=said,
            )
        if status == 429:
            return Unavailable("TwelveLabs asks for fewer requests.", retry_after_s=_retry_after_s(error.headers or {}))
        if status in (408, 409) or status >= 500:
            return Unavailable("TwelveLabs has trouble of its own ({status}).", status=status)
        if status == 404:
            return NotThere(f"TwelveLabs does not know {what} any more: {said}")
        if status < 400:
            return EncoderError(
                "What answers is not TwelveLabs. Check {check}.",
                check=Sentence("TWELVELABS_BASE_URL" if self._elsewhere else "for a proxy on the way to it"),
            )
        return EncoderError("TwelveLabs refuses {what}: {said}", what=Sentence(what), said=said)

    def clean(self, text: str) -> str:
        """Return what the service said, on one line, without the key and without the signatures of addresses."""
        text = re.sub(r"(https?://[^\s?\"']+)\?[^\s\"']*", r"\1", text).replace(self._key, "…")
        text = " ".join(text.split())[:300] or "no reason given"
        return text if text[-1] in ".!?" else f"{text}."


def is_surely_refused(error: Exception) -> bool:
    """Say whether a request that failed so has certainly created nothing."""
    if isinstance(error, ApiError):
        return 400 <= (error.status_code or 0) < 500 and error.status_code not in (408, 409)
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(told) if re.fullmatch(r"\s*\d+(\.\d+)?\s*", told) else None


def _message(body: object) -> str:
    """Return the reason in the body of an error, which comes in two forms."""
    if isinstance(body, dict):
        inner = body.get("error")
        return str((inner if isinstance(inner, dict) else body).get("message", ""))
    return ""


def _code(body: object) -> str:
    """Return the name of the reason in the body of an error, its words apart: "usage_limit" has two."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    return str(inner.get("code", "")).replace("_", " ") if isinstance(inner, dict) else ""
