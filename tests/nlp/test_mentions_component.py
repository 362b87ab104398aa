from __future__ import annotations

import spacy
from spacy.language import Language

from citystudy.config import Study
from citystudy.store import Mention
from nlp.mentions import mention_config

STUDY = Study.model_validate(
    {
        "study": {"name": "Test", "question": "What?", "contact": "a@example.org"},
        "cities": [
            {
                "name": "Upton",
                "country": "GB",
                "languages": ["en", "ar"],
                "districts": [{"name": "Millside", "aliases": {"ar": ["ميلسايد"]}}],
            },
            {"name": "Downton", "country": "GB", "languages": ["en"], "districts": [{"name": "Fishgate"}]},
        ],
        "brands": [{"name": "Loda Bus", "aliases": {"ar": ["لودا باص"]}}],
        "segments": [{"id": "curly", "label": {"en": "curly hair"}, "words": {"en": ["my curls"]}}],
    }
)


def pipeline(lang: str) -> Language:
    nlp = spacy.blank(lang)
    nlp.add_pipe("citystudy_mentions", config=mention_config(STUDY))
    return nlp


def mentions(lang: str, text: str, city: str | None) -> tuple[Mention, ...]:
    nlp = pipeline(lang)
    doc = nlp.make_doc(text)
    doc._.city = city
    (read,) = nlp.pipe([doc])
    return read._.mentions


def test_mentions_come_in_order_with_code_points_of_the_full_text() -> None:
    text = "Rain 🌧️\nAs a nurse with my curls wet I waited for Loda Bus in Millside"
    found = mentions("en", text, "upton")
    assert [(m.sort, m.name, text[m.start : m.end]) for m in found] == [
        ("segment", "nurses", "As a nurse"),
        ("segment", "curly", "my curls"),
        ("brand", "Loda Bus", "Loda Bus"),
        ("district", "Millside", "Millside"),
    ]


def test_districts_are_those_of_the_posts_own_city() -> None:
    text = "from Millside to Fishgate"
    assert [m.name for m in mentions("en", text, "downton")] == ["Fishgate"]
    assert mentions("en", text, None) == ()
    assert mentions("en", text, "elsewhere") == ()


def test_names_of_every_language_are_found_in_each() -> None:
    assert [m.name for m in mentions("ar", "لودا باص بميلسايد", "upton")] == ["Loda Bus", "Millside"]


def test_a_post_without_mentions_has_none() -> None:
    assert mentions("en", "", "upton") == ()
    assert mentions("en", "[LINK] 🙂", "upton") == ()
