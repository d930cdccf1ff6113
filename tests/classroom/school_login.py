"""The login of a school: a small provider of OpenID Connect, whom a hub asks who somebody is.

It follows RFC 6749 (the code), RFC 7636 (the proof of who began) and OpenID Connect Core 1.0, section 5.3, which gives
the name only to who asked for the scope `openid`.
"""

import asyncio
import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import url_concat
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler


@dataclass
class School:
    """What a school knows.

    Attributes:
        passwords: by name.
        client_id: under which name the hub is known to the school.
        client_secret: with what the hub shows that it is itself.
        callback: the only address to which people are sent back.
        address: the school's own.
        codes: for each code that was given out, whose it is, and the parameters with which it was asked for.
        tokens: for each token that was given out, whose it is, and for which scopes.
    """

    passwords: dict[str, str]
    client_id: str
    client_secret: str
    callback: str
    address: str = ""
    codes: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


class _Handler(RequestHandler):
    def initialize(self, school: School) -> None:
        self.school = school

    def require(self, condition: bool, status: int, reason: str) -> None:
        if not condition:
            raise HTTPError(status, reason=reason)


class _Authorize(_Handler):
    """Where a browser is sent: somebody logs in, and is sent back with a code."""

    def asked(self) -> dict[str, str]:
        asked = {name: self.get_query_argument(name) for name in ("client_id", "redirect_uri", "state")}
        self.require(self.get_query_argument("response_type") == "code", 400, "unsupported_response_type")
        self.require(asked["client_id"] == self.school.client_id, 400, "unauthorized_client")
        self.require(asked["redirect_uri"] == self.school.callback, 400, "invalid redirect_uri")
        self.require(self.get_query_argument("code_challenge_method") == "S256", 400, "no proof key")
        return asked | {name: self.get_query_argument(name, "") for name in ("scope", "code_challenge")}

    def get(self) -> None:
        self.asked()
        self.write("<form method='post'><input name='username'><input name='password' type='password'></form>")

    def post(self) -> None:
        asked, name = self.asked(), self.get_body_argument("username")
        right = self.school.passwords.get(name) == self.get_body_argument("password")
        self.require(right, 403, "The school does not know this name with this password")
        code = secrets.token_urlsafe()
        self.school.codes[code] = name, asked
        self.redirect(url_concat(asked["redirect_uri"], {"code": code, "state": asked["state"]}), status=303)


class _Token(_Handler):
    """Where the hub exchanges a code for a token. A code counts once."""

    def post(self) -> None:
        said = base64.b64encode(f"{self.school.client_id}:{self.school.client_secret}".encode()).decode()
        in_body = (self.get_body_argument("client_id", ""), self.get_body_argument("client_secret", ""))
        known = self.request.headers.get("Authorization") == f"Basic {said}"
        self.require(known or in_body == (self.school.client_id, self.school.client_secret), 401, "invalid_client")
        self.require(self.get_body_argument("grant_type") == "authorization_code", 400, "unsupported_grant_type")
        name, asked = self.school.codes.pop(self.get_body_argument("code"), ("", {}))
        self.require(bool(name), 400, "invalid_grant")
        digest = hashlib.sha256(self.get_body_argument("code_verifier").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        same = (self.get_body_argument("redirect_uri"), proof) == (asked["redirect_uri"], asked["code_challenge"])
        self.require(same, 400, "invalid_grant")
        token = secrets.token_urlsafe()
        self.school.tokens[token] = name, asked["scope"].split()
        self.write({"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": asked["scope"]})


class _Userinfo(_Handler):
    """Where the hub asks whose a token is."""

    def get(self) -> None:
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        name, scopes = self.school.tokens.get(token, ("", []))
        self.require(kind.lower() == "bearer" and bool(name), 401, "invalid_token")
        self.require("openid" in scopes, 403, "insufficient_scope")
        about: dict[str, Any] = {"sub": f"id of {name}"}
        if "profile" in scopes:
            about["preferred_username"] = name
        self.write(about)


@contextmanager
def school_login(school: School) -> Iterator[School]:
    """Let a school answer, and set its address."""
    pages = (("/authorize", _Authorize), ("/token", _Token), ("/userinfo", _Userinfo))
    application = Application([(path, handler, {"school": school}) for path, handler in pages])
    sockets = bind_sockets(0, "127.0.0.1")
    school.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    loop, began = asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = HTTPServer(application)
        server.add_sockets(sockets)
        loop.call_soon(began.set)
        await end.wait()
        server.stop()
        await server.close_all_connections()

    end = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert began.wait(30)
        yield school
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(30)
        loop.close()
