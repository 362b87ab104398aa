"""What a forum post repeats of others' posts: taken out, since everybody is counted for their own words only."""

from __future__ import annotations

import copy
import re

import lxml.html  # type: ignore[import-untyped]  # ships no types

# The boxes in which forum software shows quotes, signatures and notes of edits.
_NOT_OWN = re.compile(
    r"(?:^|[\s_-])(?:quote|quotes|quotebox|bbcodeblock--quote|quoteheader|quotetitle|topslice_quote|blockquote|citation|"
    r"signature|sig|postsignature|edited|edit-note|editedby|lastedit|post-edited|attachments?|attachbox|reactions?)"
    r"(?:[\s_-]|$)",
    re.IGNORECASE,
)
_POST_ITSELF = re.compile(r"postcontent|post-?body|post_?message")  # vBulletin 4 puts a whole post into a blockquote


def without_quotes(markup: str) -> str:
    """Return an HTML fragment without quotes of others and without signatures."""
    if "<" not in markup:
        return markup
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = lxml.html.fragment_fromstring(
            markup.replace("\0", "").encode(errors="replace"), create_parent="div", parser=parser
        )
    except (ValueError, lxml.etree.LxmlError):
        return markup
    return markup_without_quotes(root)


def markup_without_quotes(element: lxml.html.HtmlElement) -> str:
    """Return the markup of an element of a page without quotes of others and without signatures."""
    own = copy.deepcopy(element)
    own.tail = None
    for inner in list(own.iterdescendants()):
        parent = inner.getparent()
        if isinstance(inner.tag, str) and _is_not_own(inner) and parent is not None:
            gap = lxml.html.Element("br")  # what stood around it stays two things
            gap.tail = inner.tail
            parent.replace(inner, gap)
    return str(lxml.html.tostring(own, encoding="unicode"))


def _is_not_own(element: lxml.html.HtmlElement) -> bool:
    if element.tag == "blockquote":
        return not _POST_ITSELF.search(element.get("class") or "")
    if element.tag in {"script", "style", "noscript", "form", "button", "textarea", "select"}:
        return True
    return _NOT_OWN.search(element.get("class") or "") is not None and element.tag not in {"body", "code"}
