"""A snac2 server (Mastodon API), installed by `make servers`."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from front import Front, front_of
from loopback import NotHereError, ask, cache_folder, free_port, run, serving

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


@dataclass
class Snac2:
    """A running server. Its people write through its own API.

    `url` is that of the front by which everybody reads it: its own robots.txt, at `own_url`, forbids all robots.
    """

    own_url: str
    front: Front
    passwords: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.front.host}"

    def write(self, user: str, text: str, **fields: str) -> dict[str, Any]:
        """Publish a status and return it as the server shows it."""
        form = {"status": text, "visibility": "public", **fields}
        return self._as(user, "POST", "/api/v1/statuses", form)

    def edit(self, status: dict[str, Any], text: str) -> dict[str, Any]:
        """Change a status and return it as the server shows it now."""
        return self._as(status["account"]["username"], "PUT", f"/api/v1/statuses/{status['id']}", {"status": text})

    def delete(self, status: dict[str, Any]) -> None:
        """Delete a status, by the web page of its author: the API can't."""
        user = status["account"]["username"]
        form = {"action": "Delete", "id": status["uri"], "actor": status["account"]["url"], "redir": "", "group": ""}
        token = base64.b64encode(f"{user}:{self.passwords[user]}".encode()).decode()
        answer = ask("POST", f"{self.own_url}/{user}/admin/action", form, {"Authorization": f"Basic {token}"})
        assert answer.status == 303, answer
        assert status["uri"] not in {shown["uri"] for shown in self.timeline()}

    def timeline(self) -> list[dict[str, Any]]:
        """Return the whole local timeline as strangers see it, newest first."""
        shown: list[dict[str, Any]] = ask(
            "GET", f"{self.own_url}/api/v1/timelines/public?local=true&limit=100000"
        ).json()
        return shown

    def _as(self, user: str, method: str, path: str, form: dict[str, str]) -> dict[str, Any]:
        answer = ask(method, self.own_url + path, form, {"Authorization": f"Bearer {self.tokens[user]}"})
        assert answer.status == 200, (method, path, answer)
        shown: dict[str, Any] = answer.json()
        return shown


@contextlib.contextmanager
def snac2_server(folder: Path, people: Sequence[str], bots: Sequence[str] = ()) -> Iterator[Snac2]:
    """Run a server with these accounts in an empty folder; raises NotHereError."""
    program = _program()
    port = free_port()
    data = folder / "data"
    with front_of(port) as front:
        run([program, "init", data], "can't be set up", input=f"127.0.0.1\n{port}\n{front.host}\n\n\n")
        _set(data / "server.json", protocol="http")
        passwords = {name: _new_account(program, data, name) for name in (*people, *bots)}
        for name in bots:
            _set(data / "user" / name / "user.json", bot=True)
        server = Snac2(f"http://127.0.0.1:{port}", front, passwords)
        with serving([program, "httpd", data], folder / "httpd.log", f"{server.own_url}/api/v1/instance"):
            form = {"client_name": "tests", "redirect_uris": OUT_OF_BAND, "scopes": "read write"}
            app = ask("POST", f"{server.own_url}/api/v1/apps", form).json()
            for name, password in passwords.items():
                server.tokens[name] = _token(server.own_url, app, name, password)
            yield server


def _program() -> Path:
    found = shutil.which("snac") or shutil.which("snac", path=str(cache_folder() / "snac2/usr/bin"))
    if found is None:
        raise NotHereError("not installed")
    return Path(found)


def _new_account(program: Path, data: Path, name: str) -> str:
    printed = run([program, "adduser", data, name], "can't add an account", input="\n")
    password = re.search(r"User password is (\S+)", printed)
    if password is None:
        raise NotHereError(f"can't add an account: {printed}")
    return password[1]


def _set(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _token(url: str, app: dict[str, str], name: str, password: str) -> str:
    """Go the way of a Mastodon client: log in, get a code, change it for a token."""
    login = {
        "login": name,
        "passwd": password,
        "redir": OUT_OF_BAND,
        "cid": app["client_id"],
        "state": "",
        "scope": "read write",
    }
    answer = ask("POST", f"{url}/oauth/x-snac-login", login)
    query = parse_qs(urlsplit(answer.headers.get("location", "")).query)
    code = query["code"][0] if "code" in query else answer.body.decode().strip()
    exchange = {
        "grant_type": "authorization_code",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "redirect_uri": OUT_OF_BAND,
        "code": code,
    }
    token: str = ask("POST", f"{url}/oauth/token", exchange).json()["access_token"]
    return token
