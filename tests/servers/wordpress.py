"""A WordPress site on MariaDB, both installed by `make servers`."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback import NotHereError, ask, cache_folder, free_port, run, serving, wait_until

HERE = Path(__file__).parent


@dataclass
class WordPress:
    """A running site. Everything is written by its administrator through the REST API."""

    url: str
    host: str
    password: str
    log: Path

    def person(self, login: str, name: str) -> int:
        """Open an account that articles can be written under; return its id."""
        fields = {"username": login, "name": name, "email": f"{login}@example.org", "password": "one of a test"}
        return int(self._call("POST", "/users", **fields, roles="author")["id"])

    def article(self, author: int, title: str, content: str, **fields: str) -> dict[str, Any]:
        """Publish an article and return it as the server shows it."""
        fields = {"title": title, "content": content, "author": str(author), "status": "publish", **fields}
        return self._call("POST", "/posts", **fields)

    def comment(self, article: dict[str, Any], name: str, content: str, parent: int = 0) -> dict[str, Any]:
        """Publish a comment of somebody without an account and return it as the server shows it."""
        fields = {"author_name": name, "author_email": "somebody@example.org", "content": content}
        return self._call("POST", "/comments", post=str(article["id"]), parent=str(parent), **fields)

    def clock(self, timezone: str) -> None:
        """Set the site's own clock."""
        self._call("POST", "/settings", timezone=timezone)

    def edit(self, kind: str, what: dict[str, Any], **fields: str) -> dict[str, Any]:
        """Change one of the `posts` or `comments` and return it as the server shows it."""
        return self._call("POST", f"/{kind}/{what['id']}", **fields)

    def delete(self, kind: str, what: dict[str, Any]) -> None:
        """Delete one of the `posts` or `comments` for good."""
        self._call("DELETE", f"/{kind}/{what['id']}", force="true")

    def answered(self, path: str) -> Counter[int]:
        """Return how often the site answered a path, by HTTP status."""
        return Counter(
            int(status)
            for status, asked in re.findall(r" (\d{3}) (/\S*)$", self.log.read_text(), re.MULTILINE)
            if asked == path
        )

    def _call(self, method: str, path: str, **fields: str) -> dict[str, Any]:
        token = base64.b64encode(f"admin:{self.password}".encode()).decode()
        answer = ask(method, f"{self.url}/wp-json/wp/v2{path}", fields, {"Authorization": f"Basic {token}"})
        assert answer.status in {200, 201}, (method, path, answer)
        shown: dict[str, Any] = answer.json()
        return shown


@contextlib.contextmanager
def wordpress_site(folder: Path) -> Iterator[WordPress]:
    """Run an empty site in an empty folder; raises NotHereError."""
    php, mariadbd, files = _programs()
    port = free_port()
    host = f"127.0.0.1:{port}"
    socket, data = folder / "socket", folder / "data"
    data.mkdir()
    environment = os.environ | {
        "WORDPRESS": str(files),
        "WORDPRESS_SOCKET": str(socket),
        "WORDPRESS_URL": f"http://{host}",
    }
    database_log, log = folder / "database.log", folder / "site.log"
    database = [
        mariadbd,
        *("--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking", "--skip-grant-tables"),
        *("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"),
        *(["--user=root"] if os.geteuid() == 0 else []),
    ]
    with serving(database, database_log) as process:
        wait_until(socket.exists, process, database_log)
        password = run([php, HERE / "wordpress_install.php"], "can't be set up", env=environment)
        site = [php, "-S", host, HERE / "wordpress_router.php"]
        with serving(site, log, f"http://{host}/robots.txt", env=environment):
            yield WordPress(f"http://{host}", host, password.strip().splitlines()[-1], log)


def _programs() -> tuple[str, str, Path]:
    """Return where PHP, MariaDB and WordPress' files are."""
    php = shutil.which("php")
    mariadbd = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    files = cache_folder() / "wordpress/usr/share/wordpress"
    there = {"PHP": php, "MariaDB": mariadbd, "WordPress": files.is_dir()}
    if php is None or mariadbd is None or not files.is_dir():
        raise NotHereError(f"{' and '.join(name for name, found in there.items() if not found)} not installed")
    return php, mariadbd, files
