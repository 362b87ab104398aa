from __future__ import annotations

import re
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from citystudy.config import Study, read_study
from citystudy.errors import ExitCode, SecretError
from citystudy.privacy import MARKS, MIN_SECRET_BYTES, Secret, redact, write_new_secret
from tests.citystudy.conftest import MINIMAL

ONE, TWO = Secret(b"first secret of the tests"), Secret(b"second secret of the tests")

PHONES = {
    "JO": [
        "+962 7 9012 3456",
        "00962790123456",
        "0790123456",
        "079 012 3456",
        "079-0123456",
        "06 555 5123",
        "06/5555123",
    ],
    "IR": ["+98 912 345 6789", "09123456789", "0912 345 6789", "0912-345-6789", "021-88776655", "021 8877 6655"],
    "RU": ["+7 (843) 555-12-34", "89175551234", "8 917 555 12 34", "8-917-555-12-34", "8(917)555-12-34", "555-12-34"],
    "GB": ["+44 7700 900123", "07700 900123", "07700900123", "0113 496 0123", "(0113) 496 0123", "+44 (0)113 496 0123"],
}
SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"]
# As people write before a number, some of them without a space.
BEFORE = ["", " ", "call ", "тел.", "т", "واتس", "زنگ بزنید: ", "(", "№ ", "\n", "\u200e"]
KEPT = [
    "2024-05-12",
    "2024-05-12 14:30",
    "12.05.2024",
    "01.02.2024 12:30",
    "01-02-2024",
    "01/02/2024",
    "01.02.2024-05.02.2024",
    "05.10 2024",
    "۱۴۰۳/۰۲/۱۵",
    "1403-02-15",
    "2019-2024",
    "09:00-17:00",
    "09.00-18.00",
    "0800-1700",
    "1 500 000 руб",
    "1,500,000",
    "1.500.000",
    "25000000",
    "$1,299.99",
    "۱۵۰۰۰۰۰ تومان",
    "1500000000 ریال",
    "١٢٬٥٠٠",
    "15 000 - 20 000",
    "3.14159265",
    "55.78874, 49.12214",
    "24/7",
    "10-15-20",
    "911",
]

letters = st.text(st.characters(categories=["L"], max_codepoint=0x6FF), max_size=8)
separators = st.sampled_from([" ", "\n", ", ", " – ", "! "])


def in_digits(text: str, digits: str) -> str:
    return text.translate(str.maketrans("0123456789", digits))


@st.composite
def phones(draw: st.DrawFn) -> str:
    country = draw(st.sampled_from(sorted(PHONES)))
    template = draw(st.sampled_from(PHONES[country]))
    # The prefix stays; the subscriber's own digits are drawn.
    changed = re.sub(r"\d(?=\D*(?:\d\D*){0,3}$)", lambda _: str(draw(st.integers(1, 9))), template)
    return in_digits(changed, draw(st.sampled_from(SCRIPTS)))


@st.composite
def messages(draw: st.DrawFn) -> str:
    """Texts of words, numbers, marks, addresses and what stands between them."""
    piece = st.one_of(
        letters,
        phones(),
        st.sampled_from(KEPT),
        st.sampled_from(MARKS),
        st.emails(),
        st.from_regex(r"@{1,2}\w{1,10}", fullmatch=True),
        st.from_regex(r"https?://\w{1,8}\.\w{2,3}/\w{0,8}", fullmatch=True),
        st.text("0123456789٠٩۰۹ ().,-+/@[]|:", max_size=20),
        st.from_regex(r"\[(id|club)\d{1,6}\|\w{0,8}\]", fullmatch=True),
    )
    return "".join(draw(st.lists(st.one_of(piece, separators), max_size=8)))


@given(messages())
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=200))
def test_redacting_any_text_ends_and_is_stable(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.sampled_from(BEFORE), phones(), letters, separators)
def test_no_phone_number_is_left(before: str, phone: str, word: str, separator: str) -> None:
    left = redact(f"{before}{phone}{separator}{word}")
    assert "[PHONE]" in left
    assert not any(c.isdigit() for c in left), left


@pytest.mark.parametrize("digits", SCRIPTS)
@pytest.mark.parametrize(("country", "phone"), [(country, phone) for country in PHONES for phone in PHONES[country]])
def test_phone_numbers_of_four_countries_in_three_scripts(country: str, phone: str, digits: str) -> None:
    assert redact(f"x {in_digits(phone, digits)} y") == "x [PHONE] y", country


@given(st.emails(), letters)
def test_no_email_is_left(email: str, word: str) -> None:
    left = redact(f"{word} {email} {word}")
    assert email.split("@")[1] not in left
    assert "@" not in left


@given(st.from_regex(r"\w{2,12}", fullmatch=True), st.sampled_from(["", " ", "спасибо", "@", "mastodon.example/", "("]))
def test_no_handle_is_left(name: str, before: str) -> None:
    assert redact(f"{before}@{name}") == f"{before.rstrip('@')}[HANDLE]"


@given(st.sampled_from(KEPT), letters, separators)
def test_dates_prices_and_hours_stay(kept: str, word: str, separator: str) -> None:
    text = f"{word}{separator}{kept}{separator}{word}"
    assert redact(text) == text


@given(
    st.dates(min_value=date(1300, 1, 1)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y"]),
    st.sampled_from(SCRIPTS),
)
def test_any_date_stays(day: date, form: str, digits: str) -> None:
    text = in_digits(f"on {day:{form}} at 10:30", digits)
    assert redact(text) == text


@given(st.integers(1, 99_999_999), st.sampled_from([",", " ", ".", "٬", "_"]), st.sampled_from(SCRIPTS))
def test_any_price_with_or_without_thousands_stays(price: int, comma: str, digits: str) -> None:
    for text in (f"pay {price} now", f"pay {price:,} now".replace(",", comma), f"pay {price}.50 now"):
        shown = in_digits(text, digits)
        assert redact(shown) == shown


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("see https://example.org/a?b=1 now", "see [LINK] now"),
        ("(www.example.org/x)", "([LINK])"),
        ("join t.me/some_group today", "join [LINK] today"),
        ("facebook.com/some.body", "[LINK]"),
        ("m.vk.com/id1", "m.[LINK]"),
        ("netflix.com/it stays, and/or this", "netflix.com/it stays, and/or this"),
        ("write to a.b+c@mail.co.uk!", "write to [EMAIL]!"),
        ("[id123|Иван], да", "[HANDLE], да"),
        ("@user@server.example hi", "[HANDLE] hi"),
        ("@\u200eсоседка", "[HANDLE]"),
        ("card 6037-9971-2345-6789", "card [ACCOUNT]"),
        ("۶۰۳۷ ۹۹۷۱ ۲۳۴۵ ۶۷۸۹", "[ACCOUNT]"),
        ("IBAN GB29 NWBK 6016 1331 9268 19.", "IBAN [ACCOUNT]."),
        ("IR062960000000100324200001", "[ACCOUNT]"),
        ("р/с 40817810099910004312", "р/с [ACCOUNT]"),
        ("BUS NO24 DOES COME LATE", "BUS NO24 DOES COME LATE"),
        ("89175551234/89175551235", "[PHONE]/[PHONE]"),
        ("رقم 03508374", "رقم [PHONE]"),
        ("0300-1234567", "[PHONE]"),
        ("050 123 4567", "[PHONE]"),
    ],
)
def test_what_each_mark_stands_for(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text", ["1" * 50_000, "a-" * 25_000, "@" * 50_000, "+1 " * 20_000, "a." * 25_000, "0 " * 25_000]
)
def test_no_text_takes_long(text: str) -> None:
    redact(text)  # a pattern that backtracks would take minutes


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_pseudonym_is_of_one_source_and_one_secret(source: str, author: str) -> None:
    pseudonym = ONE.pseudonym(source, author)
    assert re.fullmatch(r"[0-9a-f]{32}", pseudonym)
    assert pseudonym == Secret(b"first secret of the tests").pseudonym(source, author)
    assert pseudonym != ONE.pseudonym(source + "x", author)
    assert pseudonym != TWO.pseudonym(source, author)
    assert pseudonym != ONE.key(source, author), "an author and a post of one id have nothing in common"


def test_source_and_author_are_kept_apart() -> None:
    assert ONE.pseudonym("ab", "c") != ONE.pseudonym("a", "bc")


def test_ids_with_lone_surrogates_are_keyed_and_sealed() -> None:
    assert len(ONE.key("feed", "\ud800")) == 32
    assert ONE.unseal(ONE.seal({"id": "\ud800"})) == {"id": "\ud800"}


@given(st.dictionaries(st.text(max_size=10), st.one_of(st.none(), st.integers(), st.text(max_size=30)), max_size=4))
def test_what_is_sealed_can_be_read_with_the_secret_alone(value: dict[str, object]) -> None:
    sealed = ONE.seal(value)
    assert ONE.unseal(sealed) == value
    with pytest.raises(SecretError, match="another secret"):
        TWO.unseal(sealed)


def test_nothing_sealed_can_be_read_in_it() -> None:
    sealed = ONE.seal({"id": "did:plc:somebody"})
    assert "somebody" not in sealed
    assert sealed != ONE.seal({"id": "did:plc:somebody"}), "two posts of one author do not show that they are"
    with pytest.raises(SecretError):
        ONE.unseal(sealed[:-4])
    with pytest.raises(SecretError):
        ONE.unseal(Fernet(Fernet.generate_key()).encrypt(b"{}").decode())


def test_the_fingerprint_tells_secrets_apart_and_nothing_else() -> None:
    assert ONE.fingerprint != TWO.fingerprint
    assert re.fullmatch(r"[0-9a-f]{16}", ONE.fingerprint)


def test_what_is_made_with_a_secret_stays_the_same_for_ever() -> None:
    """A change here would cut every study off from what it has gathered. The three keys have nothing in common."""
    assert ONE.fingerprint == "68e304b953ab734b"
    assert ONE.pseudonym("mastodon", "rana") == "295ada75afe282aebf7d91ebe0617b57"
    assert ONE.key("mastodon", "rana") == "4ff176318bbcab4a6bda023567d8d4dc"
    sealed = (
        "gAAAAABrAqBXh1C7sum5M97Ud1BSh-eXOkpG-410SyW__goxdkFd8grE5FswLRTMvLgrfFkf83ONVKzR6RsudzNQQzxd9PyQcELd5C2pI7Fc7Axu"
        "RdPynkQ="
    )
    assert ONE.unseal(sealed) == {"id": "1", "url": "é"}


def test_a_short_secret_is_refused() -> None:
    Secret(b"x" * MIN_SECRET_BYTES)
    with pytest.raises(SecretError, match="has 15 bytes, expected at least 16"):
        Secret(b"x" * 15)


def test_a_new_secret_is_long_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "study.secret"
    write_new_secret(path)
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first.strip()) == 64
    write_new_secret(path)
    assert path.read_bytes() == first


def test_the_secret_of_a_study_is_read_from_its_file(study: Study) -> None:
    path = study.folder / "study.secret"
    path.write_bytes(b"first secret of the tests\n")
    assert Secret.of(study).fingerprint == ONE.fingerprint


def test_a_missing_secret_names_the_file_and_the_mend(study: Study) -> None:
    with pytest.raises(SecretError) as raised:
        Secret.of(study)
    assert str(raised.value).startswith(f"{study.folder / 'study.secret'}: the study's secret is missing")
    assert "Restore the file" in str(raised.value)
    assert raised.value.exit_code == ExitCode.USAGE


def test_a_secret_that_can_not_be_read_is_named(study: Study) -> None:
    (study.folder / "study.secret").mkdir()
    with pytest.raises(SecretError, match=r"study\.secret: the study's secret can't be read: Is a directory"):
        Secret.of(study)


def test_a_secret_of_the_environment(write_study: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    study = read_study(write_study(MINIMAL + '[privacy]\nsecret = "env:TEST_STUDY_SECRET"\n'))
    monkeypatch.delenv("TEST_STUDY_SECRET", raising=False)
    with pytest.raises(SecretError, match="environment variable TEST_STUDY_SECRET, which is not set"):
        Secret.of(study)
    monkeypatch.setenv("TEST_STUDY_SECRET", "first secret of the tests")
    assert Secret.of(study).fingerprint == ONE.fingerprint
