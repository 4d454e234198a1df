"""Who looks at a page, and what that one may do: the one place pages ask."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal, NoReturn

import streamlit as st

from core.access import roles
from core.access.roles import Action, Identity
from core.errors import AppError, NotSignedIn
from pages.components.doors import base_path, page_script, shared_access
from pages.components.wording import plain, say

ENTER = Path(__file__).with_name("enter.html")


def who() -> Identity | None:
    """Return who looks at this page, from what the browser sent; None: nobody that is known. Raises AppError."""
    return shared_access().identify(st.context.cookies)


def may(action: Action) -> bool:
    """Tell whether who looks at this page may do something. Raises AppError."""
    return roles.may(who(), action)


def require_anybody() -> None:
    """Raise NotSignedIn where nobody is signed in, or not any more: before anything is done on a page's behalf."""
    if who() is None:
        raise NotSignedIn(say("signin.over"))


def why_not(action: Action) -> str:
    """Return why who looks at this page may not do something."""
    return say(f"may-not.{action.value}")


def person() -> str | None:
    """Return the name under which the likes of who looks are kept; None where one is typed."""
    known = who()
    return known.person if known else None


def spender() -> str | None:
    """Return whom minutes that are spent now are counted to; None where nobody is told apart."""
    known = who()
    return known.spender if known else None


def let_in(action: Action, title: str) -> None:
    """Go on for who may do this; for others draw the way in, or why not, and end the page here. Raises AppError."""
    known = who()
    if known is None:
        _way_in()
    if not roles.may(known, action):
        st.title(title, anchor=False)
        with st.container(border=True, key="may-not"):
            st.header(f":material/lock: {say('may-not')}", anchor=False)
            st.text(why_not(action))
            st.caption(say("may-not.you", who=plain(described(known))))
            sign_out_button()
        st.stop()


def described(known: Identity) -> str:
    """Return who somebody is, in words."""
    role = say(f"role.{known.role}")
    return say("role.named", name=known.name, role=role) if known.name else role


def sign_out_button() -> None:
    """Draw the way out, where there is one."""
    mode = shared_access().policy.mode
    if mode == "password" and st.button(say("signout"), icon=":material/logout:", key="sign-out"):
        shared_access().sign_out(st.context.cookies)
        leave()
    elif mode == "oidc" and st.button(say("signout"), icon=":material/logout:", key="sign-out"):
        st.logout()


def leave() -> NoReturn:
    """Take the browser to the way in, and draw nothing more: the session of this page is over."""
    address = f"{base_path()}/signin" if shared_access().policy.mode == "password" else ""
    st.html(f'<a class="moodreel-enter" href="{escape(address)}" target="_self">{escape(say("signin.press"))}</a>')
    st.html(page_script(ENTER), unsafe_allow_javascript=True)
    st.stop()


def _way_in() -> NoReturn:
    """Draw how to sign in, and nothing else."""
    with st.container(border=True, key="sign-in", horizontal_alignment="center", width=420):
        st.title(say("signin.title"), anchor=False)
        if shared_access().policy.mode == "password":
            st.text(say("signin.over"))
            leave()
        elif st.user.get("is_logged_in"):
            st.text(say("signin.stranger", name=str(st.user.get("email", ""))))
            if st.button(say("signin.other"), icon=":material/logout:", key="sign-in-other"):
                st.logout()
        else:
            st.text(say("signin.provider"))
            if st.button(say("signin.press"), icon=":material/login:", type="primary", key="sign-in-press"):
                st.login()
    st.stop()


def shown_to(action: Action) -> Literal["visible", "hidden"]:
    """Return whether a page is among those to choose from: for who may do what it is for, and where nobody can tell."""
    try:
        return "visible" if may(action) else "hidden"
    except AppError:
        return "visible"


def is_signed_in() -> bool:
    """Tell whether anybody is; where the settings are wrong the page says so itself."""
    try:
        return who() is not None
    except AppError:
        return False
