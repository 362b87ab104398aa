from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystudy.codeframe import segment_labels
from nlp.mentions.segments import SegmentMatcher
from nlp.mentions.words import split_words

LANGUAGES = ("en", "ar", "fa", "ru")
SHARED = {lang: SegmentMatcher(lang) for lang in LANGUAGES}


def segments(lang: str, text: str) -> set[str]:
    return {found.name for found in SHARED[lang].find(text, split_words(text, lang))}


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "As a nurse I end my day at ten and there is no tram.", {"nurses"}),
        ("en", "I’m a newly qualified nurse and a mum, where do I park?", {"nurses", "parents"}),
        ("en", "Nowhere to cross safely near my kids' school.", {"parents"}),
        ("en", "Student nurse, I sleep in the day and they drill.", {"nurses"}),
        ("en", "we just moved here and the tap water is brown", {"newcomers"}),
        ("en", "I'm 67, the steps are too high", {"age_65_up"}),
        ("en", "I am 24 years old and I still share a room", {"age_under_25"}),
        ("en", "as a woman I avoid that underpass", {"women"}),
        ("en", "My dog hates the fireworks", {"pet_owners"}),
        ("ar", "أنا طالب والمواصلات صعبة", {"students"}),
        ("ar", "وأنا ممرضة ودوامي بالليل", {"nurses", "shift_workers"}),
        ("ar", "ضاعت حقيبة بنتي في الحافلة", {"parents"}),
        ("ar", "عمري ٢٧ ولسه ساكن مع أهلي", {"age_25_44"}),
        ("fa", "به عنوان یه مامان از این پارک راضی‌ام", {"parents"}),
        ("fa", "دانشجوی ارشدم و اتاق گیرم نمیاد", {"students"}),
        ("fa", "بچه‌ام سرفه می‌کنه", {"parents"}),
        ("fa", "من ۳۱ سالمه", {"age_25_44"}),
        ("ru", "Мы с женой переехали, ищем поликлинику", {"newcomers"}),
        ("ru", "Я мама двоих детей, лифта нет", {"parents"}),
        ("ru", "Работаю медсестрой, домой пешком", {"nurses"}),
        ("ru", "моему ребёнку негде играть", {"parents"}),
        ("ru", "мне как пенсионеру дорого", {"retirees"}),
    ],
)
def test_what_authors_say_of_themselves_is_found(lang: str, text: str, expected: set[str]) -> None:
    assert segments(lang, text) == expected


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "the nurse was rude"),
        ("en", "I'm not a nurse but"),
        ("en", "students leave their bikes everywhere"),
        ("en", "a driver shouted at me"),
        ("en", "as a student area it is loud"),
        ("en", "I'm a friend of the teacher"),
        ("en", "I'm 20 minutes away"),
        ("en", 'He said "I am a doctor" and left'),
        ("ar", "الطالب نسي كتابه"),
        ("ar", "يا بنتي انتبهي"),
        ("fa", "پرستار بداخلاق بود"),
        ("fa", "من دکتر رفتم"),
        ("fa", "معلمم گفت برو"),
        ("ru", "студент уступил место"),
        ("ru", "я врачу всё объяснил"),
        ("ru", "я не студент"),
        ("ru", "«Я мама!» — кричала она"),
        ("ru", "сам врач сказал"),
    ],
)
def test_third_persons_and_denials_do_not_count(lang: str, text: str) -> None:
    assert segments(lang, text) == set()


def test_a_place_is_the_words_that_say_so() -> None:
    text = "Hello 👋\nas a newly arrived expat I ask"
    (found,) = SHARED["en"].find(text, split_words(text, "en"))
    assert text[found.start : found.end] == "as a newly arrived expat"


def test_a_study_adds_phrases_of_its_own_in_languages_without_patterns_too() -> None:
    own = SegmentMatcher("tr", {"curly": ["kıvırcık saçım"]})
    text = "Kıvırcık saçım için şampuan yok"
    assert [found.name for found in own.find(text, split_words(text, "tr"))] == ["curly"]
    assert SegmentMatcher("tr").find(text, split_words(text, "tr")) == []


def test_a_study_may_call_its_segment_anything() -> None:
    own = SegmentMatcher("en", {"age": ["my knees"], "empty": ["…"]})
    assert [f.name for f in own.find("my knees hurt", split_words("my knees hurt", "en"))] == ["age"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_listed_segment_has_a_label_in_four_languages(lang: str) -> None:
    text = resources.files("nlp.mentions").joinpath("data", f"segments.{lang}.toml").read_text(encoding="utf-8")
    listed = {name for name, value in tomllib.loads(text).items() if isinstance(value, dict)} - {"frames", "<age>"}
    labels = segment_labels()
    assert listed <= set(labels)
    assert all(set(label) == set(LANGUAGES) for label in labels.values())


@given(text=st.text(alphabet=st.sampled_from("I'm a nurse, my kids. я мама # \n«»\"!؟أنا طالب"), max_size=60))
def test_any_text_gives_places_inside_it(text: str) -> None:
    for lang in LANGUAGES:
        for found in SHARED[lang].find(text, split_words(text, lang)):
            assert 0 <= found.start < found.end <= len(text)
