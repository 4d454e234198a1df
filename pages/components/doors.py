"""What stands before the routes of this process: who may come in, by our sessions or a provider's sign-in."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit import config, file_util
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core import logs
from core.access.access import Access
from core.access.limits import Limits
from core.access.traffic import Traffic
from core.addresses import is_loopback
from core.errors import AppError, SettingsError
from core.serving.guard import House
from core.serving.headers import script_hash
from core.settings import Settings, load
from pages.components.signin import full_page
from pages.components.wording import say

HERE = Path(__file__).parent
STYLE = HERE / "style.css"
routes_are_served = threading.Event()
"""Set where this process serves routes of ours, and so pages with a head and styles of ours (core/serving/shell.py)."""
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def base_path() -> str:
    """Return where a proxy shows the app: "" or "/name"."""
    path = config.get_option("server.baseUrlPath").strip("/")
    return f"/{path}" if path else ""


def page_url(url: str) -> str:
    """Return an address of media as HTML of ours must name it: Streamlit mends only what it draws itself.

    One of this app stands under the base path that is set, or else beside the page, wherever a host shows that.
    """
    if not url.startswith("/"):
        return url
    base = base_path()
    return f"{base}{url}" if base else url.removeprefix("/")


def app_settings() -> Settings:
    """Return the settings of the app. Raises SettingsError."""
    settings = load(secrets=_secrets())
    if settings.access.mode == "oidc" and "auth" not in _secrets():
        raise SettingsError(say("signin.no-provider"))
    return settings


@st.cache_resource(show_spinner=False)
def shared_access() -> Access:
    """Return who may come in, as the settings say. Raises AppError."""
    settings = app_settings()
    return Access(settings.access, settings.data_dir, claims=_claims)


@st.cache_resource(show_spinner=False)
def shared_traffic() -> Traffic:
    """Return what is counted of this process's visitors; where the settings are wrong, by the limits as they come."""
    try:
        return Traffic(app_settings().limits)
    except AppError:
        return Traffic(Limits())


def configure_logs(settings: Settings) -> None:
    """Let the app write its log as it is set, without what is secret in the settings."""
    access = settings.access
    hidden = [access.view_password, access.edit_password, access.secret, settings.database_url]
    hidden += [
        settings.twelvelabs_api_key,
        settings.qdrant_api_key,
        settings.aws_secret_key,
        settings.aws_session_token,
    ]
    logs.configure(settings.logs, hidden)


def is_open_to_others() -> bool:
    """Tell whether nobody is asked who they are although the app listens on more than this machine. Raises AppError."""
    return shared_access().is_open and not is_loopback(config.get_option("server.address"))


def house() -> House:
    """Return what the guard of the routes must know of the app."""
    return House(base_path(), _scripts(), _media_origins(), full_page)


def page_script(file: Path, **values: str) -> str:
    """Return the HTML of a script for a page, with its values filled in: only those that are named in `SCRIPTS`, for
    browsers run no other."""
    html = file.read_text("utf-8")
    for name, value in values.items():
        assert value in SCRIPTS[file.name][name]
        html = html.replace(name, value)
    return html


SCRIPTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "posters.html": {},
    "gestures.html": {"PLAY_ON": ("true", "false")},
    "enter.html": {},
    "breaks.html": {},
    "language.html": {"LANGUAGE": ("en", "zh-Hans")},
}
"""The scripts of pages, and what can be filled in."""


@lru_cache(maxsize=1)
def _scripts() -> tuple[str, ...]:
    """Return the hashes of all scripts that stand in pages: Streamlit's own, and each form of ours."""
    texts = [(Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")]
    for name, values in SCRIPTS.items():
        forms = [(HERE / name).read_text("utf-8")]
        for placeholder, options in values.items():
            forms = [form.replace(placeholder, option) for form in forms for option in options]
        texts += forms
    return tuple(script_hash(script) for text in texts for script in _SCRIPT.findall(text))


@lru_cache(maxsize=1)
def _media_origins() -> tuple[str, ...]:
    """Return where a browser gets videos beside this app; nowhere while the settings are wrong."""
    try:
        settings = load(secrets=_secrets())
    except SettingsError:
        return ()
    if not settings.aws_bucket:
        return ()
    return ("https:", *([settings.aws_endpoint_url] if settings.aws_endpoint_url else []))


def _claims(cookies: Mapping[str, str], max_age_s: float) -> Mapping[str, object] | None:
    """Return what the provider of `st.login` vouched for, as Streamlit signed it into its cookie."""
    secret = get_cookie_secret()
    if not secret:
        return None

    def one(name: str) -> bytes | None:
        value = cookies.get(name)
        if value is None:
            return None
        return decode_signed_value(secret, name, value.encode("latin-1", "replace"), max_age_s / 86400)

    signed = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    if signed is None:
        return None
    claims = json.loads(signed)
    return claims if isinstance(claims, dict) and claims.get("is_logged_in") is True else None


def _secrets() -> dict[str, object]:
    """Return Streamlit's secrets, or nothing where there is no secrets file (the usual case)."""
    return st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
