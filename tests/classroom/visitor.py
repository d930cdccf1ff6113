"""Somebody at a browser: logs in to a running hub, starts a server, reads and writes files, and runs code."""

import asyncio
import html
import http.cookiejar
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.classroom.loops import run_elsewhere


class Refused(Exception):
    """The hub or a server answered with another status than 2xx. `status` is that."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.status = status


class Visitor:
    """Somebody who knows a name and a password.

    Attributes:
        address: the hub's, such as "http://127.0.0.1:8000".
        name: the user name.
    """

    def __init__(self, address: str, name: str, password: str) -> None:
        self.address, self.name, self.password = address, name, password
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.token = ""

    def open(self, method: str, path: str, content: Any = None, **headers: str) -> bytes:
        """Send a request as a browser with the cookies so far, or, after `log_in`, with the token."""
        body = content if isinstance(content, bytes) or content is None else json.dumps(content).encode()
        known = {"Authorization": f"token {self.token}"} if self.token else {}
        if not isinstance(content, bytes):
            known["Content-Type"] = "application/json"
        request = urllib.request.Request(self.address + path, body, known | headers, method=method)
        try:
            with self.opener.open(request, timeout=120) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from error

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """The same for an interface that answers with JSON."""
        return json.loads(self.open(method, path, content) or b"null")

    def xsrf(self) -> str:
        return next(cookie.value or "" for cookie in self.cookies if cookie.name.endswith("_xsrf"))

    def log_in(self) -> None:
        """Log in with the form, as in a browser, and make a token. Raises Refused if the password is wrong."""
        self.token = ""
        self.cookies.clear()
        self.open("GET", "/hub/login")
        form = {"username": self.name, "password": self.password, "_xsrf": self.xsrf()}
        self.open("POST", "/hub/login?next=/hub/home", urllib.parse.urlencode(form).encode())
        self.make_token()

    def log_in_elsewhere(self) -> None:
        """Follow the link to the login of a school, and log in there. Raises Refused if the school or hub refuses."""
        self.token = ""
        self.cookies.clear()
        link = re.search(r"href='(/hub/oauth_login[^']*)'", self.open("GET", "/hub/login?next=/hub/home").decode())
        assert link is not None
        form = urllib.parse.urlencode({"username": self.name, "password": self.password}).encode()
        try:
            with self.opener.open(self.address + html.unescape(link[1])) as page:
                at_school = page.url
            self.opener.open(at_school, form).close()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, f"{error.reason} {error.read().decode(errors='replace')}") from error
        self.make_token()

    def make_token(self) -> None:
        """Make a token with the cookies of a login."""
        made = self.open("POST", f"/hub/api/users/{self.name}/tokens", {}, **{"X-XSRFToken": self.xsrf()})
        self.token = json.loads(made)["token"]

    def start_server(self) -> None:
        """Start their own server, and wait until it answers."""
        self.ask("POST", f"/hub/api/users/{self.name}/server")
        self.wait_for_server()

    def wait_for_server(self, seconds: float = 900) -> None:
        """Wait until their own server answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            server = self.ask("GET", f"/hub/api/users/{self.name}")["servers"].get("")
            if server and server["ready"]:
                return
            time.sleep(0.2)
        raise TimeoutError(f"the server of {self.name} is not ready after {seconds} s")

    def stop_server(self, seconds: float = 60) -> None:
        """Stop their own server, and wait until it is gone."""
        self.ask("DELETE", f"/hub/api/users/{self.name}/server")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.ask("GET", f"/hub/api/users/{self.name}")["servers"]:
                return
            time.sleep(0.1)
        raise TimeoutError(f"the server of {self.name} still runs after {seconds} s")

    def contents(self, path: str = "", whose: str = "") -> Any:
        """What is at a path, as JupyterLab sees it."""
        return self.ask("GET", f"/user/{whose or self.name}/api/contents/{urllib.parse.quote(path)}")

    def save(self, path: str, text: str, whose: str = "") -> None:
        """Save a text file."""
        model = {"type": "file", "format": "text", "content": text}
        self.ask("PUT", f"/user/{whose or self.name}/api/contents/{path}", model)

    def start_kernel(self) -> str:
        """Start a kernel, and give its name."""
        return str(self.ask("POST", f"/user/{self.name}/api/kernels", {"name": "python3"})["id"])

    def run(self, code: str, kernel: str, seconds: float = 120) -> str:
        """Run code in a kernel, and give what it printed or the error that it raised."""
        return run_elsewhere(asyncio.wait_for(self._run(code, kernel), seconds))

    async def _run(self, code: str, kernel: str) -> str:
        url = f"{self.address.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{kernel}/channels"
        headers = {"Authorization": f"token {self.token}"}
        connection = await websocket_connect(HTTPRequest(url, headers=headers))
        name, said = uuid.uuid4().hex, ""
        content = {"code": code, "silent": False, "store_history": False, "stop_on_error": True, "allow_stdin": False}
        header = {"msg_id": name, "msg_type": "execute_request", "username": "", "session": name, "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await connection.write_message(json.dumps(message))
        try:
            while True:
                received = await connection.read_message()
                if received is None:
                    return said + "the connection was closed"
                answer = json.loads(received)
                kind, about = answer["msg_type"], answer["content"]
                if kind == "status" and about["execution_state"] == "restarting":
                    return said + "the kernel died"
                if answer["parent_header"].get("msg_id") != name:
                    continue
                if kind == "stream":
                    said += about["text"]
                elif kind == "error":
                    said += f"{about['ename']}: {about['evalue']}"
                elif kind == "status" and about["execution_state"] == "idle":
                    return said
        finally:
            connection.close()
