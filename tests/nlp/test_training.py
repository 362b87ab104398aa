from __future__ import annotations

import pytest

from citystudy.codeframe import CODED_LANGUAGES, KINDS, THEMES
from citystudy.demo.server import demo_posts
from citystudy.text import full_text, normalise
from nlp.training.build import train
from nlp.training.examples import fold_of
from nlp.training.texts import Code, CodedPost, coded_posts, shared_folder, written_posts

needs_shared = pytest.mark.skipif(
    shared_folder() is None, reason="the shared data is absent: set CITYSTUDY_SHARED to its folder"
)


@pytest.mark.shared
@needs_shared
@pytest.mark.parametrize("lang", CODED_LANGUAGES)
def test_every_coded_row_is_found_and_its_spans_lie_in_its_text(lang: str) -> None:
    posts = list(coded_posts(lang))
    assert len(posts) > 1000
    for post in posts:
        assert len(post.codes) <= 3
        for code in post.codes:
            assert code.kind in KINDS
            assert code.theme in THEMES
            if code.span:
                assert 0 <= code.span[0] < code.span[1] <= len(post.text), (post.set, post.id)


@pytest.mark.shared
@needs_shared
@pytest.mark.parametrize("lang", CODED_LANGUAGES)
def test_no_demonstration_post_is_among_the_training_posts(lang: str) -> None:
    trained = {normalise(post.text, lang) for post in (*coded_posts(lang), *written_posts(lang))}
    shown = {normalise(full_text(post.title, post.text), lang) for post in demo_posts()}
    assert not {text for text in trained & shown if len(text) > 30}


@pytest.mark.parametrize("lang", CODED_LANGUAGES)
def test_written_posts_carry_spans_of_their_own_text(lang: str) -> None:
    posts = list(written_posts(lang))
    assert len(posts) >= 400
    assert len({post.text for post in posts}) == len(posts)
    for post in posts:
        assert all(code.span and post.text[slice(*code.span)].strip() for code in post.codes)


def test_copies_share_a_fold() -> None:
    text = "The bus never came again and I waited two hours in the rain near the station"
    assert fold_of(text, "en") == fold_of(text.upper() + "!!! 😡 https://example.org/x", "en")


def test_the_same_posts_train_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlp.training.build.written_posts", lambda lang: iter(()))
    broken = CodedPost("t", "1", "en", "The lift is broken again", (Code("problem", "housing", (0, 24)),))
    fine = CodedPost("t", "2", "en", "What a lovely sunset tonight", ())
    posts = [broken, fine] * 6
    one, two = train(posts, [], "en"), train(posts, [], "en")
    assert (one.weights == two.weights).all()
    kinds = one.probabilities(["The lift is broken", "lovely sunset"]).kinds
    assert kinds[0, 0] > kinds[1, 0]
