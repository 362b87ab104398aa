"""HTML to plain text, code points kept."""

from __future__ import annotations

import html
import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from citystudy.text import storable

MARKUP_LIMIT = 1_000_000  # ten times the longest text that is kept
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"].copy())
_TAG = re.compile(
    r"<(?:!--|!doctype|/?(?:a|abbr|article|b|big|blockquote|body|br|center|code|del|div|em|figure|font|footer|form|h[1-6]|"
    r"head|header|hr|html|i|iframe|img|ins|li|link|main|mark|meta|noscript|ol|p|pre|q|s|script|section|small|span|strong|"
    r"style|sub|sup|svg|table|tbody|td|th|thead|title|tr|tt|u|ul|video)(?:\s[^<>]*)?/?>)",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"<(?:p|br|div|li|tr|h[1-6]|blockquote|pre|table)\b", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_ONE_PARAGRAPH = re.compile(r"<p>([^<&\n]*)</p>")  # most short posts; the parser would give the same
_ANY_TAG = re.compile(r"<[^<>]*>")


def looks_like_html(text: str) -> bool:
    """Tell whether a text holds an HTML tag or comment ('a < b' does not)."""
    return "<" in text and _TAG.search(text) is not None


def html_to_text(markup: str) -> str:
    """Return the visible text of an HTML fragment; scripts, styles and comments are gone."""
    markup = storable(markup[:MARKUP_LIMIT])
    if "<" not in markup and "&" not in markup:
        return markup
    paragraph = _ONE_PARAGRAPH.fullmatch(markup)
    if paragraph:
        return paragraph[1].strip()
    if not _BLOCK.search(markup):
        markup = markup.replace("\n", "<br>")
    try:
        text = get_text(markup, _CONFIG)
    except (RecursionError, ValueError):
        text = ""
    # libxml2 gives up on markup nested hundreds deep; what is between the tags is still worth keeping.
    return text.strip() or html.unescape(_ANY_TAG.sub(" ", _HIDDEN.sub(" ", markup))).strip()


def plain(text: str) -> str:
    """Return `text` without markup if it has any, else as it is."""
    return html_to_text(text) if looks_like_html(text) else text
