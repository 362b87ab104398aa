"""Markdown to plain text, code points kept."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt

from crawlers.markup import MARKUP_LIMIT, html_to_text

# Lemmy's own addition to CommonMark: a fold with a title.
_FOLD = re.compile(r"^[ \t]*:{3,}[ \t]*(?:spoiler\b[ \t]*)?", re.MULTILINE)


def markdown_to_text(source: str) -> str:
    """Return what a reader sees of a Markdown text: CommonMark with tables and strike-through, HTML shown as written.

    A line break stays one, as its author meant it. Of a link its words are left, of an image nothing.
    """
    return html_to_text(_reader().render(_FOLD.sub("", source[:MARKUP_LIMIT])))


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["strikethrough", "table"])
