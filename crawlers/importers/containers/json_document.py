"""One JSON document that holds lists of messages, as Telegram Desktop writes it: read without being held in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from citystudy.errors import InputError
from crawlers.importers.containers.rows import (
    BROKE_OFF,
    BROKEN,
    LINE_LIMIT,
    NOT_JSON,
    TOO_LONG,
    Fault,
    Row,
    Table,
    json_row,
    peeked,
)

LIST = "messages"
HOLDER = "holder"  # the row's key for what is said of the list it stands in

PIECE_LETTERS = 64 * 1024
DEEPEST = 8  # lists of messages stand at the document's root, or four levels down in an export of all chats

_HOLDS_LISTS = re.compile(rf'\{{.*(?:"{LIST}"\s*:\s*\[|"chats"\s*:\s*\{{)')
_TOKEN = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_WORD = re.compile(r"[^\s,\]}]*")
_SPACE = re.compile(r"\s*")


def is_document(head: str) -> bool:
    """Tell whether a text begins as one document rather than as one object a line."""
    first, _, rest = head.partition("\n")
    if first.strip() == "{" and rest:
        return True
    row = json_row(first)
    if isinstance(row, Fault):  # not the whole line, or not JSON
        return _HOLDS_LISTS.match(first) is not None
    return isinstance(row.get(LIST), list) or isinstance(row.get("chats"), dict)


def document_table(path: Path, file: IO[str], raw: IO[bytes]) -> Table:
    """Return the messages of a document, each with the scalars of the object that holds its list under `HOLDER`."""
    scanner = _Scanner(file)
    table = peeked(_rows(scanner), raw.tell, lambda: scanner.letters)
    if not table.first:
        raise InputError(
            f"{path}: holds one JSON document without a list of {LIST}, expected Telegram Desktop's result.json, or one "
            "JSON object a line (jq -c turns a list inside a document into lines)"
        )
    return table


def _rows(scanner: _Scanner) -> Iterator[Row | Fault]:
    try:
        while not scanner.at_end():
            yield from _lists_within(scanner, depth=0)
    except BROKEN:
        yield Fault(BROKE_OFF)
    except ValueError:
        yield Fault(NOT_JSON)  # nobody can tell where the document goes on


def _lists_within(scanner: _Scanner, depth: int) -> Iterator[Row | Fault]:
    """Pass over the next value, yielding what the lists of messages in it hold."""
    opening = scanner.peek()
    if opening not in "{[" or depth > DEEPEST:
        scanner.value(0)
        return
    scanner.take(opening)
    holder: dict[str, Any] = {}
    while (mark := scanner.peek()) not in "}]":
        if mark == ",":
            scanner.take(",")
        elif opening == "[":
            yield from _lists_within(scanner, depth + 1)
        else:
            key = _loaded(scanner.value())
            scanner.take(":")
            if key == LIST and scanner.peek() == "[":
                yield from _messages(scanner, dict(holder))
            elif scanner.peek() in "{[":
                yield from _lists_within(scanner, depth + 1)
            else:
                holder[str(key)] = _loaded(scanner.value())
    scanner.take(mark)


def _messages(scanner: _Scanner, holder: dict[str, Any]) -> Iterator[Row | Fault]:
    scanner.take("[")
    while (mark := scanner.peek()) != "]":
        if mark == ",":
            scanner.take(",")
            continue
        text = scanner.value()
        row = Fault(TOO_LONG) if text is None else json_row(text)
        yield row if isinstance(row, Fault) else {**row, HOLDER: holder}
    scanner.take("]")


def _end(pattern: re.Pattern[str], text: str, begin: int) -> int:
    found = pattern.match(text, begin)
    return found.end() if found else begin


def _loaded(text: str | None) -> Any:
    return json.loads(text, strict=False) if text is not None else None


class _Scanner:
    """A JSON text read piece by piece, and the letters of the values handed out; raises EOFError where it ends too early, ValueError where it is no JSON."""

    def __init__(self, file: IO[str]) -> None:
        self.letters = 0
        self._file = file
        self._text = ""
        self._at = 0

    def at_end(self) -> bool:
        """Pass over white space and tell whether nothing else is left."""
        while True:
            self._at = _end(_SPACE, self._text, self._at)
            if self._at < len(self._text):
                return False
            if not self._more():
                return True

    def peek(self) -> str:
        """Return the next letter that is no white space, and leave it."""
        if self.at_end():
            raise EOFError
        return self._text[self._at]

    def take(self, mark: str) -> None:
        """Pass over the next letter, which must be `mark`."""
        if self.peek() != mark:
            raise ValueError
        self._at += 1

    def value(self, limit: int = LINE_LIMIT) -> str | None:
        """Pass over the next value and return its text; None where it has more than `limit` letters."""
        opening = self.peek()
        pieces: list[str] = []
        left = limit
        for piece in self._bracketed() if opening in '"{[' else self._word():
            left -= len(piece)
            if left < 0:
                pieces.clear()
            else:
                pieces.append(piece)
        self.letters += sum(map(len, pieces))
        return "".join(pieces) if left >= 0 else None

    def _bracketed(self) -> Iterator[str]:
        """Yield the text of an object, list or string in pieces."""
        depth, quoted = 0, False
        while True:
            begin = seen = self._at
            for token in _TOKEN.finditer(self._text, begin):
                seen = token.end()
                mark = token[0]
                if mark == '"':
                    quoted = not quoted
                elif quoted or len(mark) > 1:
                    continue
                else:
                    depth += 1 if mark in "{[" else -1
                if depth <= 0 and not quoted:
                    self._at = seen
                    yield self._text[begin:seen]
                    return
            # A backslash at the end of a piece belongs to the first letter of the next.
            self._at = len(self._text) - (seen < len(self._text) and self._text.endswith("\\"))
            yield self._text[begin : self._at]
            if not self._more():
                raise EOFError

    def _word(self) -> Iterator[str]:
        """Yield the text of a number, true, false or null in pieces; raises ValueError where there is none."""
        empty = True
        while True:
            begin = self._at
            self._at = _end(_WORD, self._text, begin)
            empty = empty and self._at == begin
            yield self._text[begin : self._at]
            if self._at < len(self._text) or not self._more():
                break
        if empty:
            raise ValueError

    def _more(self) -> bool:
        piece = self._file.read(PIECE_LETTERS)
        self._text = self._text[self._at :] + piece
        self._at = 0
        return bool(piece)
