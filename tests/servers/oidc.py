"""A small OpenID Connect provider on loopback: the code flow with a signed id token, for who types an address.

It asks for no password: whoever it asks is who they say. Run `python -m tests.servers.oidc` to try ACCESS=oidc by hand.
"""

from __future__ import annotations

import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.servers import LocalServer

CLIENT_ID, CLIENT_SECRET = "moodreel", "the client's secret"
FORM = """<!doctype html><title>Provider</title><form method="post">
<label>Address <input name="email"></label><button>Continue</button></form>"""


class OidcProvider(LocalServer):
    """Vouch for addresses. `verified` is what it says of having seen them."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.verified = True
        self.key = RSAKey.generate_key(2048, {"kid": "tests", "use": "sig", "alg": "RS256"})
        self.codes: dict[str, dict[str, str]] = {}

    def _listen(self, port: int) -> ThreadingHTTPServer:
        provider = self

        class Handler(_Handler):
            of = provider

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        return server

    def secrets_toml(self, app_url: str) -> str:
        """Return what stands in .streamlit/secrets.toml of an app that asks this provider."""
        return (
            f'[auth]\nredirect_uri = "{app_url}/oauth2callback"\ncookie_secret = "{secrets.token_hex(32)}"\n'
            f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def code_for(self, email: str, asked: dict[str, str]) -> str:
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"email": email, **asked}
        return code

    def id_token(self, code: str) -> str:
        """Return a signed token for a code, which is used up."""
        asked, now = self.codes.pop(code), int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": asked["email"],
            "email": asked["email"],
            "email_verified": self.verified,
            "iat": now,
            "exp": now + 300,
        }
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        return jwt.encode({"alg": "RS256", "kid": "tests"}, claims, self.key)


class _Handler(BaseHTTPRequestHandler):
    of: OidcProvider

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/.well-known/openid-configuration":
            self._json(self.of.metadata())
        elif path == "/jwks":
            self._json({"keys": [self.of.key.as_dict(private=False)]})
        elif path == "/authorize":
            self._send(200, FORM.encode(), "text/html")
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = {
            name: values[0]
            for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()
        }
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        if path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            code = self.of.code_for(body["email"], asked)
            self.send_response(303)
            self.send_header(
                "Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
            )
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/token" and body.get("code") in self.of.codes:
            token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 300}
            self._json(token | {"id_token": self.of.id_token(body["code"])})
        else:
            self._send(400, json.dumps({"error": "invalid_grant"}).encode(), "application/json")

    def _json(self, answer: dict[str, Any]) -> None:
        self._send(200, json.dumps(answer).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with OidcProvider() as provider:
        print("Write this into .streamlit/secrets.toml, set ACCESS=oidc and EDITORS=you@example.org:\n")
        print(provider.secrets_toml("http://localhost:8501"))
        print("Ctrl-C ends it.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass
