from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

from citystudy.store import Topic
from citystudy.text import normalise
from nlp.topics import TopicInput, learn_topics
from nlp.topics.clusters import ClustersWithinThemes
from nlp.topics.embedding import weigh_words
from nlp.topics.words import stop_words, terms

BUSES = [
    "the night bus never comes to the mill",
    "night bus cancelled again",
    "waited an hour for the night bus",
    "no night bus after ten, every single time",
    "the last night bus drove straight past us",
    "night bus timetable is fiction",
    "two night buses missing, driver shrugged",
    "night bus full before our stop",
]
PARKING = [
    "parking fees doubled by the market",
    "nowhere to find parking near the market",
    "market parking is a maze",
    "fined while parking at the market",
    "cars parking across the market pavement",
    "parking machine at the market eats coins",
    "market parking closes too early",
    "parking attendants at the market shout",
]
RENTS = [
    "landlord keeps the deposit",
    "deposit gone, landlord silent",
    "landlord wants three months deposit",
    "our landlord invented a fee to hold the deposit",
    "landlord lost my deposit papers",
    "deposit scheme sides with the landlord",
    "asked the landlord for my deposit back",
    "landlord says the deposit was never paid",
]


def statements(repeat: int = 3) -> list[TopicInput]:
    sets = [("transport", BUSES), ("transport", PARKING), ("housing", RENTS)]
    rows = [(theme, text) for _ in range(repeat) for theme, texts in sets for text in texts]
    return [TopicInput(n, theme, text, f"voice {n}") for n, (theme, text) in enumerate(rows, start=1)]


@pytest.fixture(scope="module")
def topics() -> list[Topic]:
    return learn_topics(statements(), lang="en", kind="problem", seed=20)


def test_topics_lie_within_a_theme_and_are_told_by_their_words(topics: list[Topic]) -> None:
    by_id = {row.statement: row for row in statements()}
    for topic in topics:
        assert {by_id[n].theme for n in topic.statements} == {topic.theme}
        assert (topic.kind, topic.lang) == ("problem", "en")
        assert len(topic.statements) >= 5
        assert topic.words
    (housing,) = (topic for topic in topics if topic.theme == "housing")
    assert {"landlord", "deposit"} <= set(housing.words)
    found = {by_id[n].text in BUSES for topic in topics if topic.theme == "transport" for n in topic.statements}
    assert found == {True, False}
    for topic in topics:
        if topic.theme == "transport":
            assert len({by_id[n].text in BUSES for n in topic.statements}) == 1


def test_almost_every_statement_has_a_topic_and_none_has_two(topics: list[Topic]) -> None:
    members = [n for topic in topics for n in topic.statements]
    assert len(members) == len(set(members)) >= 0.9 * len(statements())


def test_labels_are_phrases_that_several_voices_share(topics: list[Topic]) -> None:
    assert "night bus" in {topic.label for topic in topics}
    texts = {row.text for row in statements()}
    assert not {topic.label for topic in topics} & texts


def test_the_order_of_the_input_does_not_matter(topics: list[Topic]) -> None:
    shuffled = statements()
    random.Random(3).shuffle(shuffled)
    assert learn_topics(shuffled, lang="en", kind="problem", seed=20) == topics


def test_another_process_finds_the_same(topics: list[Topic]) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(__file__.rsplit('/', 1)[0])!r}); "
        "from test_topics import statements; from nlp.topics import learn_topics; "
        "print([t.id for t in learn_topics(statements(), lang='en', kind='problem', seed=20)])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert run.stdout.strip() == str([topic.id for topic in topics])


def test_under_fifty_voices_there_are_no_topics() -> None:
    rows = statements()
    few = [TopicInput(row.statement, row.theme, row.text, f"voice {row.statement % 49}") for row in rows]
    assert learn_topics(few, lang="en", kind="problem", seed=20) == []
    assert learn_topics([], lang="en", kind="problem", seed=20) == []


def test_a_theme_of_few_voices_gets_no_topic() -> None:
    loud = [TopicInput(1000 + n, "health", "the clinic queue is endless", f"loud {n % 4}") for n in range(30)]
    found = learn_topics([*statements(), *loud], lang="en", kind="problem", seed=20)
    assert "health" not in {topic.theme for topic in found}


def test_statements_without_content_words_give_no_topics() -> None:
    rows = [TopicInput(n, "other", "and so it is 👍 100", f"voice {n}") for n in range(60)]
    assert learn_topics(rows, lang="en", kind="wish", seed=20) == []


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "There are potholes on our streets, please help!", ["pothole", "street"]),
        ("ru", "Здравствуйте, на нашей улице ямы", ["улица", "яма"]),
        ("ar", "الأسعار مرتفعة جدا في السوق", ["سعر", "مرتفع", "سوق"]),
        ("fa", "لطفا سرعت اینترنت‌ها رو درست کنید", ["سرعت", "اینترنت", "درست"]),
    ],
)
def test_terms_are_content_words_under_one_key_a_word(lang: str, text: str, expected: list[str]) -> None:
    found = terms(text, lang)
    assert [term.key for term in found] == expected
    assert all(text[term.start : term.end].strip() for term in found)


def test_a_language_without_lists_of_its_own_still_has_terms() -> None:
    assert [term.key for term in terms("otobüs gelmedi", "tr")]
    assert stop_words("tr")


def test_other_languages_words_are_shown_as_people_write_them() -> None:
    texts = ["اينترنت خوابگاه شب‌ها قطع است", "اینترنت خوابگاه باز قطع شد", "قطعی اینترنت خوابگاه تمام نمی‌شود"]
    rows = [TopicInput(n, "connectivity", texts[n % 3], f"voice {n}") for n in range(60)]
    found = learn_topics(rows, lang="fa", kind="problem", seed=1)
    assert {normalise(topic.label, "fa") for topic in found} >= {"اینترنت خوابگاه"}
    assert {word for topic in found for word in topic.words} >= {"اینترنت", "خوابگاه", "قطع"}


def test_one_loud_voice_makes_no_cluster() -> None:
    terms_of = [["bus", "night"]] * 10 + [["rent"]] * 10
    voices = ["loud"] * 10 + [f"v{n}" for n in range(10)]
    words = weigh_words(terms_of)
    clusters = ClustersWithinThemes(["all"] * 20, voices, words, min_voices=5, seed=1).fit(words.toarray())
    assert set(clusters.labels_[:10].tolist()) <= {-1, *clusters.labels_[10:].tolist()}
    assert len(np.unique(clusters.labels_[10:])) == 1


def test_the_names_of_the_cities_make_no_topic() -> None:
    rows = [
        TopicInput(n, "transport", f"{start} in Dubai {end}", f"voice{n}")
        for n, (start, end) in enumerate(
            zip(
                ["Traffic jams", "Metro delays", "Bus drivers", "Parking fines"] * 20,
                ["today", "again", "lately"] * 27,
                strict=False,
            )
        )
    ]
    assert any(
        "dubai" in word.casefold()
        for topic in learn_topics(rows, lang="en", kind="problem", seed=1)
        for word in topic.words
    )
    named = learn_topics(rows, lang="en", kind="problem", seed=1, names=["Dubai", "دبي"])
    assert named
    assert not any("dubai" in word.casefold() for topic in named for word in topic.words)
