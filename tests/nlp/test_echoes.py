from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.echoes import find_echoes

CAMPAIGN = "Every evening the pumps in our street stop and nobody at the water company picks up the phone. Share this!"


def echoes(*texts: str, lang: str = "en") -> dict[int, int]:
    return find_echoes((number, text, lang) for number, text in enumerate(texts, start=1))


@pytest.mark.parametrize(
    "copy",
    [
        CAMPAIGN,
        f"RT @someone: {CAMPAIGN}",
        f"RT [HANDLE]: {CAMPAIGN}",
        f"{CAMPAIGN} 🙏🙏 #water #nowater [LINK]",
        f"📢 {CAMPAIGN.upper()}",
        CAMPAIGN.replace("evening", "evning"),
        CAMPAIGN.replace("Share this!", "Please share this!!"),
        CAMPAIGN.replace("water company", "#water company"),
    ],
)
def test_a_repost_with_small_edits_is_an_echo(copy: str) -> None:
    assert echoes(CAMPAIGN, "Something else altogether about the new bakery by the park", copy) == {1: 1, 3: 1}


def test_spelling_variants_of_arabic_and_persian_are_one_text() -> None:
    assert echoes(
        "الكهرباء مقطوعة من الصبح في حيّنا والشركة لا ترد على أحد",
        "الكهرباء مقطوعه من الصبح فى حينا والشركه لا ترد علي احد",
        lang="ar",
    ) == {1: 1, 2: 1}
    assert echoes(
        "اینترنت هر شب قطع می‌شود و هیچ‌کس پاسخ نمی‌دهد، خسته شدیم",
        "اينترنت هر شب قطع مي‌شود و هيچ‌كس پاسخ نمي‌دهد، خسته شديم!!!",
        lang="fa",
    ) == {1: 1, 2: 1}


@pytest.mark.parametrize(
    "other",
    [
        CAMPAIGN.replace("pumps", "trams"),
        CAMPAIGN.replace("Every evening", "Every evening at 8"),
        CAMPAIGN.replace("water company", "tramway company"),
        CAMPAIGN[:60],
    ],
)
def test_the_same_template_with_another_fact_is_no_echo(other: str) -> None:
    assert echoes(CAMPAIGN, other) == {}


def test_round_numbers_differ_too() -> None:
    text = "The ministry says that {} families in the north got their water back on Monday"
    assert echoes(text.format("1000"), text.format("100"), text.format("10000")) == {}


@pytest.mark.parametrize("short", ["ممتاز", "Good", "Very nice place, nice staff", "не работает светофор", "", "🙂"])
def test_what_two_people_may_write_by_chance_is_no_echo(short: str) -> None:
    assert echoes(short, short, short) == {}


def test_a_short_text_must_be_the_same() -> None:
    assert echoes("no bus at the old mill gate again 😡", "No bus at the old mill gate again!") == {1: 1, 2: 1}
    assert echoes("no bus at the old mill gate again", "no buss at the old mill gate again") == {}


def test_the_head_is_the_smallest_id_whatever_the_order() -> None:
    rows = [(9, CAMPAIGN, "en"), (4, CAMPAIGN + " 🙏", "en"), (7, "RT @x: " + CAMPAIGN, "en")]
    assert find_echoes(rows) == {9: 4, 4: 4, 7: 4}


def test_long_texts_that_part_only_late_are_told_apart_by_length() -> None:
    long = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300))
    assert echoes(long, long + " " + long) == {}
    assert echoes(long, long) == {1: 1, 2: 1}


@settings(max_examples=30)
@given(st.lists(st.text(alphabet="abcde 12#@\n[]", max_size=80), max_size=12))
def test_any_texts_give_whole_groups(texts: list[str]) -> None:
    found = echoes(*texts)
    for number, head in found.items():
        assert found[head] == head <= number
        assert sum(other == head for other in found.values()) > 1
    assert found == echoes(*texts)


def test_many_posts_are_grouped_in_reasonable_time_and_alike_each_time() -> None:
    draw = random.Random(1)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdglnrst"]
    texts = [" ".join(draw.choices(words, k=draw.randint(8, 25))) for _ in range(1_000)]
    texts += [f"RT @x: {text} #tag" for text in texts[:100]]
    found = echoes(*texts)
    assert found == echoes(*texts)
    assert len(found) == 200
    assert all(found[number + 1_000] == number for number in range(1, 101))
