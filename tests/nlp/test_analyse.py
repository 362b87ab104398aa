from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from citystudy.config import Study, read_study
from citystudy.privacy import Secret
from citystudy.store import Post, Store
from nlp.analyse import analyse

STUDY = """
[study]
name = "test"
question = "?"
contact = "a@example.org"
[[brands]]
name = "Acme Water"
[codeframe.hair_care]
label.en = "Hair care"
words.en = ["curly hair", "shampoo*"]
[[cities]]
name = "Leeds"
country = "GB"
languages = ["en"]
districts = [{ name = "Headingley" }]
[[cities.targets]]
source = "feed"
kind = "forum"
url = "https://example.org/feed"
"""
TARGET = "leeds/feed/https://example.org/feed"
COMPLAINT = "The bus in Headingley never came again, I waited two hours in the rain, terrible service."


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "study.toml").write_text(STUDY)
    return read_study(tmp_path / "study.toml")


@pytest.fixture
def store(study: Study) -> Iterator[Store]:
    with Store(study.database_path) as store:
        store.bind(Secret(b"a secret of the tests"))
        store.register(study)
        yield store


def post(key: str, text: str, **more: object) -> Post:
    made = Post(key=key, target=TARGET, city="leeds", title="", text=text, sealed="", fetched_at="2026-01-01T00:00:00Z")
    return replace(made, **more)  # type: ignore[arg-type]


def save(store: Store, *posts: Post) -> None:
    store.save_posts(store.start_crawl("test"), posts)


def test_posts_become_statements_and_mentions_with_offsets_into_the_full_text(study: Study, store: Store) -> None:
    save(store, post("a", COMPLAINT, title="Buses"), post("b", "Good morning!"))
    analysed = analyse(study, store)
    assert analysed.read == 2
    (statement,) = store.query("SELECT s.*, p.key FROM statement s JOIN post p ON p.id = s.post WHERE kind = 'problem'")
    assert statement["key"] == "a"
    assert statement["theme"] == "transport"
    full = f"Buses\n{COMPLAINT}"
    assert full[statement["start"] : statement["end"]] in full
    (district,) = store.query("SELECT * FROM mention WHERE sort = 'district'")
    assert full[district["start"] : district["end"]] == "Headingley"


def test_a_second_run_reads_nothing_and_changes_nothing(study: Study, store: Store) -> None:
    save(store, post("a", COMPLAINT))
    analyse(study, store)
    before = list(store.query("SELECT * FROM statement"))
    assert analyse(study, store).read == 0
    assert list(store.query("SELECT * FROM statement")) == before


def test_an_edited_post_is_read_again_and_its_old_statements_go(study: Study, store: Store) -> None:
    save(store, post("a", COMPLAINT))
    analyse(study, store)
    save(store, post("a", "Good morning!"))
    assert analyse(study, store).read == 1
    assert store.count("statement") == 0


def test_a_change_of_the_studys_words_reads_everything_again(study: Study, store: Store) -> None:
    save(store, post("a", "Acme Water never delivers, awful service and nobody answers the phone."))
    analyse(study, store)
    other = study.model_copy(update={"brands": []})
    assert analyse(other, store).read == 1
    assert store.count("mention") == 0


def test_the_studys_own_theme_is_coded_by_its_words(study: Study, store: Store) -> None:
    save(store, post("a", "Looking for a hairdresser who can cut curly hair, can anyone recommend one?"))
    analyse(study, store)
    assert "hair_care" in {row["theme"] for row in store.query("SELECT theme FROM statement")}


def test_a_language_without_a_coder_is_read_and_not_coded(study: Study, store: Store) -> None:
    save(store, post("a", "Otobüs yine gelmedi, iki saat yağmurda bekledim, böyle hizmet olmaz olsun artık yeter"))
    analyse(study, store)
    (reading,) = store.query("SELECT lang, coded FROM reading")
    assert reading == {"lang": "tr", "coded": 0}


def test_echoes_are_grouped_under_the_first_post(study: Study, store: Store) -> None:
    save(
        store,
        post("a", COMPLAINT),
        post("b", COMPLAINT + " 😡"),
        post("c", "Something else altogether, thank you all."),
    )
    analyse(study, store)
    assert list(store.query("SELECT post, head FROM echo ORDER BY post")) == [
        {"post": 1, "head": 1},
        {"post": 2, "head": 1},
    ]


def test_an_empty_study_is_no_error(study: Study, store: Store) -> None:
    assert analyse(study, store).statements == 0


def test_progress_is_told_to_the_end(study: Study, store: Store) -> None:
    save(store, *(post(str(n), f"Post number {n} of this forum.") for n in range(7)))
    told: list[tuple[str, int, int]] = []
    analyse(study, store, lambda *step: told.append(step))
    assert ("reading", 7, 7) in told
