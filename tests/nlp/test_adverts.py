from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.adverts import is_advert


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Fresh samosas every Friday, £3 a box. DM to order!"),
        ("en", "Need your gutters cleared? Free quotes, fully insured, call [PHONE]"),
        ("en", "We deliver all over town, gift boxes from $9"),
        ("ru", "Продам коляску, почти новая, 4000 р"),
        ("ru", "Маникюр на дому, скидка 10 %, пишите в лс"),
        ("ru", "Шкафы под ключ, звоните [PHONE]"),
        ("ar", "عطور بجودة عالية، للطلب والاستفسار واتساب"),
        ("ar", "خصم ٣٠٪ على كل الفساتين في متجرنا"),
        ("fa", "کیک خانگی، سفارش در دایرکت"),
        ("fa", "مبل راحتی با ضمانت، ارسال رایگان، تماس بگیرید"),
    ],
)
def test_a_sellers_voice_is_an_advert(lang: str, text: str) -> None:
    assert is_advert(text, lang)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Anyone know a plumber? Call or message me, budget £100"),
        ("en", "Best karak in town, only 2 KD, and free delivery"),
        ("en", "I ordered the gift box, 25% off they said, and it never came"),
        ("en", "Discounts are never real here"),
        ("ru", "Ищу коляску до 5000 р, пишите в лс"),
        ("ru", "Заказала доставку, обещали скидку, не приехали"),
        ("ru", "Телефон поликлиники не отвечает"),
        ("ar", "وين ألاقي محل عطور بسعر معقول؟"),
        ("ar", "المطعم ممتاز والأسعار مرتفعة والتوصيل مجاني"),
        ("fa", "دنبال مبل ارزون می‌گردم، دایرکت بدید"),
        ("fa", "سفارش دادم، ارسالشون رایگان بود ولی دیر رسید"),
        ("tr", "Satılık araba, fiyat 100 ₺, WhatsApp"),
        ("en", ""),
    ],
)
def test_who_asks_praises_or_complains_is_no_seller(lang: str, text: str) -> None:
    assert not is_advert(text, lang)


def test_a_plain_cue_beside_a_phone_number_outweighs_buyers_words() -> None:
    assert is_advert("For those looking for a tutor: book now, [PHONE]", "en")


@pytest.mark.parametrize("lang", ["en", "ar", "fa", "ru"])
def test_each_language_lists_the_same_sorts_of_cues(lang: str) -> None:
    text = resources.files("nlp").joinpath("data", f"adverts.{lang}.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) == {"plain", "offer", "contact", "seller", "buyer"}


@given(text=st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    for lang in ("en", "ar", "fa", "ru", ""):
        assert is_advert(text, lang) in {True, False}
