from __future__ import annotations

import json
from typing import Any

import pytest

from tests.crawlers.importers.conftest import Exports, ndjson


def message(n: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": n,
        "type": "message",
        "date": "2023-01-02T15:00:30",
        "date_unixtime": "1672660830",
        "from": "Лада Нетакова",
        "from_id": "user7700123",
        "text": "Дороги не чистят",
        "text_entities": [{"type": "plain", "text": "Дороги не чистят"}],
        **fields,
    }


def chat(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "Соседи", "type": "public_supergroup", "id": 1500, "messages": list(messages), **fields}


def document(value: Any, indent: int | None = 1) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode()


@pytest.mark.parametrize("indent", [None, 1])
def test_messages_of_one_chat(exports: Exports, indent: int | None) -> None:
    first = message(
        edited="2023-01-02T16:00:30",
        edited_unixtime="1672664430",
        reply_to_message_id=5,
        location_information={"latitude": 55.79, "longitude": 49.12},
    )
    result = exports(document(chat(first), indent))
    assert (result.format, result.rows, result.new) == ("telegram_export", 1, 1)
    post = exports.posts()["1500/1"]
    assert post["text"] == "Дороги не чистят"
    assert (post["created_at"], post["edited_at"]) == ("2023-01-02T12:00:30Z", "2023-01-02T13:00:30Z")
    assert (post["latitude"], post["longitude"]) == (55.79, 49.12)
    assert post["author"] == exports.pseudonym("telegram", "user7700123")
    assert post["parent"] == exports.key("telegram", "1500/5")
    assert exports.named("Нетакова", "7700123", "1500/1", "Соседи") == []


def test_a_text_in_pieces_is_joined_and_names_in_it_are_taken_out(exports: Exports) -> None:
    pieces = [
        "همسایه ",
        {"type": "mention_name", "text": "پری ناموجود", "user_id": 5},
        {"type": "plain", "text": " و "},
        {"type": "mention", "text": "@parinaq"},
        {"type": "bold", "text": " اتوبوس نیست"},
        7,
        {"type": "link"},
    ]
    signed = message(2, text="Подпись: Ната Выдуманная", author="Ната Выдуманная", forwarded_from="Лев Небывалов")
    exports(document(chat(message(text=pieces), signed, message(3, text="", text_entities=pieces))))
    posts = exports.posts()
    assert posts["1500/1"]["text"] == posts["1500/3"]["text"] == "همسایه [HANDLE] و [HANDLE] اتوبوس نیست"
    assert posts["1500/2"]["text"] == "Подпись: [HANDLE]"
    assert exports.named("پری", "parinaq", "Выдуманная", "Небывалов") == []


def test_what_is_left_out_is_named(exports: Exports) -> None:
    result = exports(
        document(
            chat(
                message(1),
                message(2, type="service", action="pin_message", text=""),
                message(3, text="", text_entities=[], photo="photos/photo_1.jpg"),
                "no message",
                message(4, text=5),
                message(True),
                message(5, type="unsupported"),
                message(1, text="Снова"),
            )
        )
    )
    assert result.new == 1
    assert result.dropped == {
        "service message": 1,
        "no text": 1,
        "not a JSON object": 1,
        "wrong type": 2,
        "row of another format": 1,
        "repeated id": 1,
    }


def test_an_export_of_all_chats_gives_its_groups_and_leaves_conversations_alone(exports: Exports) -> None:
    everything = {
        "about": 'Here is "messages": [ of all sorts',
        "personal_information": {"phone_number": "+70001112233", "list": [{"deep": {"deeper": [1, [2, [3]]]}}]},
        "contacts": {"list": [{"first_name": "Некто"}]},
        "chats": {
            "list": [
                chat(message(1)),
                chat(message(1, text="Lights are out"), id=1600, type="public_channel"),
                chat(message(1, text="Личное"), id=1700, type="personal_chat"),
                chat(message(1, text="Заметка"), id=1800, type="saved_messages"),
            ]
        },
        "left_chats": {"list": [chat(message(9, text="صف الخبز طويل"), id=1900, type="private_supergroup")]},
    }
    for indent in (1, None):
        result = exports(document(everything, indent))
        assert (result.rows, result.dropped) == (5, {"private conversation": 2})
    assert set(exports.posts()) == {"1500/1", "1600/1", "1900/9"}
    assert exports.named("Личное", "Заметка", "+70001112233") == []


def test_old_exports_and_accounts_without_a_name(exports: Exports) -> None:
    old = message(1, from_id=77001, edited="1970-01-01T03:00:00", reply_to_message_id=4, reply_to_peer_id="channel9")
    del old["date_unixtime"], old["text_entities"]
    gone = message(2, **{"from": None, "from_id": None})
    exports(document(chat(old, gone)))
    posts = exports.posts()
    assert (posts["1500/1"]["created_at"], posts["1500/1"]["edited_at"]) == ("2023-01-02T15:00:30Z", None)
    assert posts["1500/1"]["parent"] is None
    assert posts["1500/2"]["author"] is None


def test_messages_one_a_line(exports: Exports) -> None:
    assert exports(ndjson(message(1), message(2))).format == "telegram_export"
    assert set(exports.posts()) == {"1", "2"}
