"""Posts found by their shape: the blocks of a topic page that come again and hold a person, a date and a text."""

from __future__ import annotations

import re
from collections import defaultdict

from crawlers.forum_pages.document import Document, Element, words_of
from crawlers.forum_pages.fields import own_number, says_when, says_who

MOST_GROUPS = 200
MOST_STEPS_UP = 6
_STRIPES = re.compile(r"\d+|\b(?:odd|even|alt)\b", re.IGNORECASE)  # rows coloured in turn


def post_blocks(page: Document) -> list[Element]:
    """Return the blocks that hold the posts of a topic page, in its order; none where the page shows no such blocks."""
    body = page.root.find("body")
    root = page.root if body is None else body
    return _best(page, _numbered(page, root)) or _best(page, _repeated(root))


def _numbered(page: Document, root: Element) -> list[list[Element]]:
    """Return the elements that name a post by number, those of a kind together."""
    kinds: dict[tuple[str, str], list[Element]] = defaultdict(list)
    for element in root.iterdescendants():
        if isinstance(element.tag, str) and element.tag not in {"input", "option", "a", "img", "meta", "button"}:
            own = own_number(element)
            if own:
                kinds[element.tag, own[0]].append(element)
    return [_grown(page, _outermost(elements)) for elements in kinds.values()]


def _repeated(root: Element) -> list[list[Element]]:
    """Return siblings of the same tag and class, two at least."""
    groups = []
    for parent in root.iter():
        kinds: dict[tuple[str, str], list[Element]] = defaultdict(list)
        for child in parent:
            if isinstance(child.tag, str) and child.tag not in {
                "script",
                "style",
                "option",
                "td",
                "th",
                "meta",
                "link",
            }:
                kinds[child.tag, _STRIPES.sub("", (child.get("class") or "").partition(" ")[0])].append(child)
        groups += [same for same in kinds.values() if len(same) > 1]
    return sorted(groups, key=lambda same: -sum(len(words_of(e)) for e in same))[:MOST_GROUPS]


def _best(page: Document, groups: list[list[Element]]) -> list[Element]:
    """Return the group with most posts; of those alike the one deepest in the page."""
    ranked: list[tuple[int, int, list[Element]]] = []
    for group in groups:
        posts = sum(_is_post(page, element) for element in group)
        if posts:
            ranked.append((posts, sum(1 for _ in group[0].iterancestors()), group))
    return max(ranked, key=lambda entry: entry[:2], default=(0, 0, []))[2]


def _is_post(page: Document, element: Element) -> bool:
    return says_who(page, element) and says_when(page, element)


def _grown(page: Document, elements: list[Element]) -> list[Element]:
    """Return elements that number only a post's text as the blocks around them that name its person and date too."""
    if any(_is_post(page, element) for element in elements):
        return elements
    return [_around(page, element, set(elements) - {element}) for element in elements]


def _around(page: Document, element: Element, others: set[Element]) -> Element:
    block = element
    for _, above in zip(range(MOST_STEPS_UP), element.iterancestors(), strict=False):
        if above.tag in {"body", "html"} or any(inner in others for inner in above.iter()):
            break
        block = above
        if _is_post(page, block):
            break
    return block


def _outermost(elements: list[Element]) -> list[Element]:
    """Return elements that lie in no other of them: a post quoted in a post is not one of the page's."""
    known = set(elements)
    return [element for element in elements if not any(above in known for above in element.iterancestors())]
