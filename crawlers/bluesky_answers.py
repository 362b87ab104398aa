"""What an answer to an XRPC request says: its error, its list, a session, a profile."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from scrapy.http import Response

from citystudy.targets import BlueskyTarget
from crawlers.answers import TRY_LATER, object_of, objects, refuse, stated_error, words
from crawlers.bluesky_posts import NOT_FOR_STRANGERS, label_reason
from crawlers.parking import Parked

MEND_KEY = 'see that `[credentials] bluesky = "env:NAME"` names "handle:app-password" of your own account'
OTHER_SHAPE = "answered JSON of another shape"

_ERROR = re.compile(r"[A-Za-z]{1,60}")


def error_of(response: Response) -> str | None:
    """Return the name of the error that an answer states, None where it states none."""
    name = stated_error(response, "error")
    return name if name and _ERROR.fullmatch(name) else None


def page_of(response: Response, target: BlueskyTarget) -> dict[str, Any]:
    """Return a page of a target's listing; raises Parked where there is none."""
    key = next(name for name in ("feed", "author", "query", "repository") if getattr(target, name))
    if response.status == HTTPStatus.BAD_REQUEST:
        raise Parked(f"nothing here ({error_of(response) or 'HTTP 400'})", f"check `{key}` in the study file")
    refuse(response, key)
    return object_of(response)


def tree_of(response: Response) -> dict[str, Any] | None:
    """Return the thread in an answer, None when the post that it began with is gone; raises Parked for other answers."""
    if error_of(response) == "NotFound":
        return None
    refuse(response, "server")
    tree = object_of(response).get("thread")
    if not isinstance(tree, dict):
        raise Parked(OTHER_SHAPE, TRY_LATER)
    return tree


def looked_up(response: Response, key: str) -> list[dict[str, Any]] | None:
    """Return the posts in an answer to a second look, None when the server won't look for these.

    Raises Parked where posts can't be told apart, lest all be taken as gone.
    """
    if response.status == HTTPStatus.BAD_REQUEST:
        return None
    refuse(response, "server")
    found = object_of(response).get(key)
    posts = objects(found)
    if not isinstance(found, list) or len(posts) < len(found) or not all(words(post.get("uri")) for post in posts):
        raise Parked(OTHER_SHAPE, TRY_LATER)
    return posts


def token_of(response: Response) -> str:
    """Return the token of a session; raises Parked when the login was refused."""
    if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        error = error_of(response) or f"HTTP {response.status}"
        raise Parked(f"the login was refused ({error})", f"{MEND_KEY}, one that is not revoked")
    refuse(response, "login_server")
    token = object_of(response).get("accessJwt")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise Parked(OTHER_SHAPE, "check `login_server` in the study file")
    return token


def owner_name(response: Response) -> str:
    """Return the display name of a repository's owner; raises Parked when only members may see what is in it."""
    if response.status != HTTPStatus.OK:
        return ""  # an account needs no profile
    profile = object_of(response).get("value")
    if not isinstance(profile, dict):
        return ""
    labels = profile.get("labels")
    if label_reason(objects(labels.get("values")) if isinstance(labels, dict) else []) == NOT_FOR_STRANGERS:
        raise Parked(f"closed: {NOT_FOR_STRANGERS}", "ask its author, or remove the target")
    return words(profile.get("displayName"))
