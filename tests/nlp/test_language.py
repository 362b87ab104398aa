from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.codeframe import CODED_LANGUAGES
from nlp.language import LanguageDetector

POSTS = {
    "en": [
        "The bus never comes on time in Headingley",
        "Potholes everywhere!!",
        "rent is insane here",
        "no water again",
        "anyone know a good dentist?",
        "I wish there was a park",
        "love the new cafe",
        "why is the tram so slow",
        "Power cut again lol #leeds",
        "need a cheaper gym pls 🙏",
        "bins not collected for 3 weeks",
        "wish we had a night market tbh",
    ],
    "ar": [
        "الباص ما بيجي عالوقت",
        "انقطعت المي كمان مرة",
        "بدي حضانة قريبة من البيت",
        "وش السالفة مع الكهرباء",
        "عايز شقة إيجار رخيص",
        "ليش الأسعار غالية هيك؟",
        "الشوارع مليانة حفر",
        "والله تعبنا من الزحمة",
        "أحسن مطعم بعمّان؟",
        "شلون أروح المطار",
        "فين ألاقي دكتور كويس",
        "نتمنى حديقة للأطفال 🌳",
    ],
    "fa": [
        "اتوبوس همیشه دیر میاد",
        "آب دوباره قطع شد",
        "کاش یه پارک نزدیک بود",
        "ترافیک وحشتناکه",
        "اینترنت خیلی کنده",
        "اجاره خونه نجومی شده",
        "کسی دکتر خوب می‌شناسه؟",
        "هوا آلوده است",
        "چرا نون گرون شده",
        "عاشق این کافه‌ام",
        "خیابون پر از چاله است",
        "#شیراز برق رفت باز",
    ],
    "ru": [
        "Автобус опять не пришёл",
        "Нет горячей воды третий день",
        "Хочу парк рядом с домом",
        "пробки ужас",
        "ямы на дорогах",
        "аренда дорогая",
        "где найти садик?",
        "обожаю эту кофейню",
        "опять отключили свет",
        "интернет тормозит",
        "в поликлинику не записаться",
        "мусор не вывозят 😡",
    ],
}
# Long enough to be named though no study of the four languages expects them.
STRANGERS = [
    ("tr", "Otobüs yine geç kaldı, durakta yarım saat bekledim"),
    ("tr", "Elektrikler yine kesildi, bıktık artık bu durumdan"),
    ("ur", "بجلی پھر چلی گئی، لوڈ شیڈنگ سے تنگ آ گئے ہیں"),
    ("ur", "پانی نہیں آ رہا، ہم کیا کریں، کوئی سنتا ہی نہیں"),
    ("fr", "Le bus est toujours en retard, j'en ai vraiment marre de ça"),
    ("be", "Аўтобус зноў не прыйшоў, чакаю ўжо гадзіну на прыпынку"),
    ("el", "Το λεωφορείο αργεί πάντα"),
    ("he", "האוטובוס תמיד מאחר"),
    ("hi", "बस कभी समय पर नहीं आती"),
    ("zh", "公交车总是晚点"),
    ("ja", "バスはいつも遅れる"),
    ("ka", "ავტობუსი ყოველთვის იგვიანებს"),
]
SILENT = [
    "",
    " ",
    "😀😀",
    "🇷🇺❤️",
    "123",
    "!!!",
    "?",
    "...",
    "ok",
    "[LINK]",
    "@someone",
    "https://example.org/some/page",
    "٣٤",
]


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector(CODED_LANGUAGES)


@pytest.mark.parametrize("lang", POSTS)
def test_short_posts_are_told_by_their_words_alone(detector: LanguageDetector, lang: str) -> None:
    assert {text: detector.detect(text) for text in POSTS[lang]} == dict.fromkeys(POSTS[lang], lang)


@pytest.mark.parametrize(("lang", "text"), STRANGERS)
def test_a_language_that_nobody_expects_is_named_as_itself(detector: LanguageDetector, lang: str, text: str) -> None:
    assert detector.detect(text) == lang


@pytest.mark.parametrize("text", SILENT)
def test_too_few_letters_are_in_no_language(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) is None
    assert detector.detect(text, "ar", ("ar",)) is None


def test_half_of_each_is_in_neither(detector: LanguageDetector) -> None:
    assert detector.detect("вода water") is not None
    assert detector.detect("вод wat آبآ") is None


def test_links_handles_and_marks_say_nothing_of_the_language(detector: LanguageDetector) -> None:
    assert detector.detect("[LINK] @very_english_name https://all-english-words.example/in/this/link нет воды") == "ru"


@pytest.mark.parametrize(
    "mark", ["[LINK]", "[HANDLE]", "[PHONE]", "@english_name", "https://example.org/english/words"]
)
def test_what_stands_in_the_place_of_a_link_is_no_word(detector: LanguageDetector, mark: str) -> None:
    assert detector.detect(f"شكرا {mark} {mark} {mark}") in {"ar", "fa"}
    assert detector.detect(f" {mark} {mark}") is None


def test_a_hashtag_is_a_word(detector: LanguageDetector) -> None:
    assert detector.detect("#عمان") == "ar"
    assert detector.detect("#казань_пробки") == "ru"


@pytest.mark.parametrize(("dialect", "lang"), [("ary", "ar"), ("arz", "ar"), ("apc", "ar"), ("prs", "fa")])
def test_a_dialect_is_named_by_its_language(detector: LanguageDetector, dialect: str, lang: str) -> None:
    # Letters that both languages share: only what is declared can tell.
    assert detector.detect("بازار", dialect) == lang


@pytest.mark.parametrize("text", ["واش كاين شي حاجة زوينة فهاد المدينة", "ايه الحكاية دي يا جماعة الكهربا قطعت تاني"])
def test_texts_in_a_dialect_are_in_its_language(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) == "ar"


def test_a_short_text_is_in_the_local_language_of_its_script(detector: LanguageDetector) -> None:
    assert detector.detect("بازار", None, ("fa", "en")) == "fa"
    assert detector.detect("بازار", None, ("ar", "en")) == "ar"
    assert detector.detect("traffic", None, ("ar", "en")) == "en"


def test_what_is_declared_does_not_outweigh_a_clear_text(detector: LanguageDetector) -> None:
    assert detector.detect("Нет горячей воды третий день подряд", "en", ("en",)) == "ru"
    assert detector.detect("اتوبوس همیشه دیر میاد و راننده‌ها بی‌ادب هستند", "ar") == "fa"


def test_a_language_that_the_study_expects_is_told_from_its_neighbours() -> None:
    swedish = "Vattnet är avstängt igen, jag är så trött på detta"
    assert LanguageDetector(("sv", "en")).detect(swedish) == "sv"
    assert LanguageDetector(("sv", "en")).detect("The water is off again and I am so tired of it") == "en"


def test_a_language_that_no_model_knows_does_no_harm() -> None:
    detector = LanguageDetector(("qqq", "xx"))
    assert detector.detect("hello there my friend, how are you today?") == "en"
    assert detector.detect("traffic", "qqq", ("qqq",)) in {"en", None}


@given(st.text(max_size=60), st.one_of(st.none(), st.text(max_size=5)), st.lists(st.sampled_from(["ar", "ru", "qq"])))
def test_any_text_gets_a_code_or_none(text: str, declared: str | None, local: list[str]) -> None:
    found = LanguageDetector(CODED_LANGUAGES).detect(text, declared, local)
    assert found is None or (found.islower() and 2 <= len(found) <= 3)
