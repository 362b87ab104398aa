"""A Bluesky network (AT Protocol) of its own, installed by `make servers`: a PDS, an AppView and what they need.

What readers must know, all of it seen on these servers (@atproto/dev-env 0.6.7):

- Both robots.txt allow everything; the AppView's names 429 as its way to slow crawlers down.
- Strangers may read everything on the AppView; the PDS passes `app.bsky.*` on to it for those who are logged in and
  answers 401 AuthMissing to others. `com.atproto.repo.listRecords` of the PDS is open to all.
- The AppView shows a post some tenths of a second after it was written, later when many are: see `wait`.
- A page ends with a `cursor` as long as it is full; `listRecords` gives one with the last page too, after which comes
  an empty one. `limit` goes to 100 (25 `uris` for getPosts), and more is 400 InvalidRequest, as is an actor that is not
  there ("Profile not found").
- `searchPosts` looks for the letters of `q` in the text, case and all, newest first; `lang`, `tag`, `since` and `until`
  are taken and change nothing. The real one knows words and these filters, and counts its cursor in posts.
- An edit (putRecord) keeps the `uri` and `createdAt`, changes `cid` and the text; nothing else tells of it, `indexedAt`
  stays. The real AppView ignores edits of posts.
- A deleted post is left out of all lists and of getPosts without a word; getPostThread answers 400 NotFound. Replies to
  it stay and are found by their own thread only, where `parent` is a `notFoundPost`; the parent's and root's `replies`
  no longer lead to them.
- Absent `langs`, `facets`, `reply` are absent from the record; `langs` is what the author's program says. Facets count
  bytes of UTF-8.
- Names: `author.handle`, `author.displayName`, a mention in the text with its facet's `did`; the did is in every `uri`.
- With `limits`, the PDS has RateLimit-Limit, -Remaining, -Reset (seconds since 1970) and -Policy in its answers; see
  `atproto_network` for the limit on logging in.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from loopback import Answer, ask, serving, unpacked, wait_until
from node import node_program
from postgresql import postgresql_server
from redis_server import redis_server

HERE = Path(__file__).parent
POSTS = "app.bsky.feed.post"
INDEX_SECONDS = 20.0
URIS_A_CALL = 25  # getPosts takes no more


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's account; a crawler logs in with `handle` and `app_password`."""

    handle: str
    did: str
    password: str
    app_password: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it was written: `record` is all of it, `cid` its hash."""

    uri: str
    cid: str
    account: Account
    record: dict[str, Any]

    @property
    def key(self) -> str:
        return self.uri.rpartition("/")[2]


def facet(text: str, part: str, kind: str, **feature: str) -> dict[str, Any]:
    """Return what marks the first `part` of a text as a `tag` (tag=), `link` (uri=) or `mention` (did=)."""
    start = len(text[: text.index(part)].encode())
    where = {"byteStart": start, "byteEnd": start + len(part.encode())}
    return {"index": where, "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **feature}]}


@dataclass
class Atproto:
    """A running network. `pds` is where people write, `appview` where everything public is read."""

    pds: str
    appview: str
    log: Path
    awaited: dict[str, str | None] = field(default_factory=dict)

    def account(self, name: str) -> Account:
        """Open an account, NAME.test, with a password for apps."""
        handle, password = f"{name}.test", f"one of a test, {name}'s"
        new = {"handle": handle, "email": f"{name}@example.org", "password": password}
        made = self._call("com.atproto.server.createAccount", new)
        app = self._call("com.atproto.server.createAppPassword", {"name": "crawler"}, made["accessJwt"])
        return Account(handle, made["did"], password, app["password"], made["accessJwt"])

    def post(
        self,
        account: Account,
        text: str,
        langs: Sequence[str],
        reply_to: Post | None = None,
        facets: Sequence[dict[str, Any]] = (),
        **fields: Any,
    ) -> Post:
        """Publish a post and return it; `fields` go into its record as they are (embed, labels, createdAt, ...)."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record: dict[str, Any] = {"$type": POSTS, "text": text, "createdAt": now, "langs": list(langs), **fields}
        if facets:
            record["facets"] = list(facets)
        if reply_to is not None:
            parent = {"uri": reply_to.uri, "cid": reply_to.cid}
            record["reply"] = {"root": reply_to.record.get("reply", {}).get("root", parent), "parent": parent}
        what = {"repo": account.did, "collection": POSTS, "record": record}
        return self._written(account, record, self._call("com.atproto.repo.createRecord", what, account.token))

    def edit(self, post: Post, text: str) -> Post:
        """Put another text in a post's place and return it."""
        record = {**post.record, "text": text}
        what = {"repo": post.account.did, "collection": POSTS, "rkey": post.key, "record": record}
        return self._written(post.account, record, self._call("com.atproto.repo.putRecord", what, post.account.token))

    def delete(self, post: Post) -> None:
        """Delete a post."""
        what = {"repo": post.account.did, "collection": POSTS, "rkey": post.key}
        self._call("com.atproto.repo.deleteRecord", what, post.account.token)
        self.awaited[post.uri] = None

    def wait(self) -> None:
        """Wait until the AppView shows all that was written, and nothing of what was deleted."""
        end = time.monotonic() + INDEX_SECONDS
        while self.awaited:
            uris = list(self.awaited)[:URIS_A_CALL]
            found = self.read("app.bsky.feed.getPosts", uris=uris).json()["posts"]
            shown: dict[str, str] = {post["uri"]: post["cid"] for post in found}
            settled = [uri for uri in uris if shown.get(uri) == self.awaited[uri]]
            for uri in settled:
                del self.awaited[uri]
            if not settled:
                assert time.monotonic() < end, f"the AppView did not index {uris}"
                time.sleep(0.05)

    def read(self, method: str, **parameters: str | int | Sequence[str]) -> Answer:
        """Ask the AppView as a stranger; a list is one parameter, repeated."""
        return ask("GET", f"{self.appview}/xrpc/{method}?{urlencode(parameters, doseq=True)}")

    def log_in(self, identifier: str, password: str) -> Answer:
        """Ask the PDS for a session, as a crawler does before it searches."""
        document = {"identifier": identifier, "password": password}
        return ask("POST", f"{self.pds}/xrpc/com.atproto.server.createSession", document=document)

    def _written(self, account: Account, record: dict[str, Any], made: dict[str, Any]) -> Post:
        self.awaited[made["uri"]] = made["cid"]
        return Post(made["uri"], made["cid"], account, record)

    def _call(self, method: str, what: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        answer = ask("POST", f"{self.pds}/xrpc/{method}", headers=headers, document=what)
        assert answer.status == 200, (method, what, answer)
        done: dict[str, Any] = answer.json() if answer.body else {}
        return done


@contextlib.contextmanager
def atproto_network(folder: Path, *, limits: bool = False) -> Iterator[Atproto]:
    """Run a network in an empty folder; raises NotHereError.

    With `limits` its PDS limits requests like a real one: an address to 3000 within five minutes, the logins of an
    account to 30. The 31st is answered by 429 with Retry-After, which then is nearly 300 seconds.
    """
    node, program, log = node_program(), unpacked("atproto"), folder / "network.log"
    command: list[str | Path] = [node, HERE / "atproto_network.mjs", program, *(["limits"] if limits else [])]
    with postgresql_server(folder) as database, redis_server(folder) as redis:
        addresses = {"DB_POSTGRES_URL": database, "REDIS_HOST": f"127.0.0.1:{redis}"}
        with serving(command, log, env=os.environ | addresses | {"TMPDIR": str(folder)}) as process:
            wait_until(lambda: "READY " in log.read_text(), process, log)
            ready = json.loads(log.read_text().partition("READY ")[2].partition("\n")[0])
            yield Atproto(**ready, log=log)
