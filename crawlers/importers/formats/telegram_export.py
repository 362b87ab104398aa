"""telegram_export: chats exported by Telegram Desktop as JSON."""

from __future__ import annotations

from typing import Any

from crawlers.importers.cells import Cells, word
from crawlers.importers.containers.json_document import HOLDER
from crawlers.importers.containers.rows import Row, at
from crawlers.importers.formats.base import Format

SERVICE = "service message"
PRIVATE = "private conversation"

_PRIVATE_CHATS = ("personal_chat", "bot_chat", "saved_messages", "replies", "verification_codes")
_NAMED_PERSON = "mention_name"  # a link to a person who has no handle: the text is the person's name


def _fits(row: Row) -> bool:
    return row.get("type") in ("message", "service") and "id" in row and ("date" in row or "date_unixtime" in row)


def _cells(row: Row) -> Cells | str:
    if at(row, f"{HOLDER}.type") in _PRIVATE_CHATS:
        return PRIVATE
    if row["type"] == "service":
        return SERVICE
    chat = word(at(row, f"{HOLDER}.id"))
    other_chat = row.get("reply_to_peer_id") is not None
    return {
        "id": _in_chat(chat, row["id"]),
        "text": _text(row),
        "author": row.get("from_id"),
        "author_names": (row.get("from"), row.get("author"), row.get("forwarded_from")),
        "parent": None if other_chat else _in_chat(chat, row.get("reply_to_message_id")),
        "created_at": row.get("date_unixtime") or row.get("date"),
        "edited_at": row.get("edited_unixtime") or row.get("edited"),
        "latitude": at(row, "location_information.latitude"),
        "longitude": at(row, "location_information.longitude"),
    }


def _in_chat(chat: str | None, message: Any) -> Any:
    """Return a message's id made one among all chats; what is no id stays as it is."""
    number = None if isinstance(message, bool) else word(message)
    return message if number is None or chat is None else f"{chat}/{number}"


def _text(row: Row) -> Any:
    text = row.get("text")
    if isinstance(text, list):
        return "".join(map(_piece, text))
    if not text and isinstance(row.get("text_entities"), list):
        return "".join(map(_piece, row["text_entities"]))
    return text


def _piece(piece: Any) -> str:
    if isinstance(piece, dict):
        if piece.get("type") == _NAMED_PERSON:
            return "[HANDLE]"
        piece = piece.get("text")
    return piece if isinstance(piece, str) else ""


FORMAT = Format(
    name="telegram_export",
    expects="Telegram Desktop's result.json: messages with id, type, date, from_id and text",
    fits=_fits,
    cells=_cells,
    source="telegram",
)
