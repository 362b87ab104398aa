from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.forum_dates import Moment, is_absolute, order_of, read_moment

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
TEHRAN = ZoneInfo("Asia/Tehran")  # UTC+03:30

EXACT = {
    "Nov. 22, 2026, 1:57 a.m.": "2026-11-21T22:27",
    "Nov. 22, 2026, noon": "2026-11-22T08:30",
    "Nov. 22, 2026, midnight": "2026-11-21T20:30",
    "June 5, 2026, 3 p.m.": "2026-06-05T11:30",
    "Sept. 1, 2026, 12:05 p.m.": "2026-09-01T08:35",
    "Sun Nov 22, 2026 1:57 am": "2026-11-21T22:27",
    "« Reply #4 on: November 21, 2026, 05:12:33 PM »": "2026-11-21T13:42:33",
    "Posted 22 Nov 2026 - 01:57 PM": "2026-11-22T10:27",
    "22 ноября 2026 г., 13:45": "2026-11-22T10:15",
    "22 ноя 2026, 13:45": "2026-11-22T10:15",
    "Вс 22 мая 2026 00:05": "2026-05-21T20:35",
    "Вчера в 14:05": "2026-11-27T10:35",
    "сегодня, 08:15": "2026-11-28T04:45",
    "5 минут назад": "2026-11-28T08:55",
    "час назад": "2026-11-28T08:00",
    "Только что": "2026-11-28T09:00",
    "۱ آذر ۱۴۰۵ - ۱۲:۳۰": "2026-11-22T09:00",
    "دوشنبه ۲ آذر ۱۴۰۵، ۱۰:۲۰ ب.ظ": "2026-11-23T18:50",
    "۱۴۰۵/۰۹/۰۱ ۱۲:۳۰": "2026-11-22T09:00",
    "یکشنبه 22 نوامبر 2026 ساعت 10:00": "2026-11-22T06:30",
    "دیروز ساعت ۱۴:۳۰": "2026-11-27T11:00",
    "۵ دقیقه پیش": "2026-11-28T08:55",
    "یک ساعت قبل": "2026-11-28T08:00",
    "٢٢ نوفمبر ٢٠٢٦ 3:15 م": "2026-11-22T11:45",
    "22 تشرين الثاني 2026 الساعة 3:15 مساءً": "2026-11-22T11:45",
    "22-11-2026, 03:15 مساءً": "2026-11-22T11:45",
    "منذ ساعة": "2026-11-28T08:00",
    "منذ 5 دقائق": "2026-11-28T08:55",
    "قبل ساعتين": "2026-11-28T07:00",
    "22.11.2026 10:00": "2026-11-22T06:30",
    "2026-11-22 01:57": "2026-11-21T22:27",
    "2026-11-22T01:57:00Z": "2026-11-22T01:57",
    "2026-11-22T01:57:00+03:00": "2026-11-21T22:57",
    "Sun, 22 Nov 2026 01:57:00 +0300": "2026-11-21T22:57",
    "1795314164878": "2026-11-22T02:22:44.878",
}
ROUNDED = {
    "вчера": "2026-11-27",
    "позавчера": "2026-11-26",
    "5 дней назад": "2026-11-23",
    "2 weeks ago": "2026-11-14",
    "دیروز": "2026-11-27",
    "أمس": "2026-11-27",
    "منذ يومين": "2026-11-26",
    "22 нояб.": "2026-11-22",
    "29 December": "2025-12-29",
    "22 أغسطس 2026": "2026-08-22",
    "22/11/2026": "2026-11-22",
}
NO_DATE = [
    "",
    "we met on Nov 22, 2026",
    "Сообщений: 2026",
    "2026",
    "12",
    "10:30",
    "03/04/2026",  # the third of April or the fourth of March
    "31 февраля 2026",
    "30 اسفند ۱۴۰۴",
    "за 5 минут",
    "May",
    "now then",
]


@pytest.mark.parametrize("text", EXACT)
def test_moments_told_exactly(text: str) -> None:
    wanted = datetime.fromisoformat(EXACT[text]).replace(tzinfo=UTC)
    assert read_moment(text, NOW, TEHRAN) == Moment(wanted)


@pytest.mark.parametrize("text", ROUNDED)
def test_days_told_without_a_clock_are_rounded(text: str) -> None:
    moment = read_moment(text, NOW, TEHRAN)
    assert moment is not None
    assert moment.rounded
    assert moment.at.astimezone(TEHRAN).date().isoformat() == ROUNDED[text]


@pytest.mark.parametrize("text", NO_DATE)
def test_what_is_no_date_or_could_be_two_is_none(text: str) -> None:
    assert read_moment(text, NOW, TEHRAN) is None


def test_a_page_settles_which_of_day_and_month_comes_first() -> None:
    assert order_of(["03/04/2026", "25/04/2026"]) == "dmy"
    assert order_of(["03/04/2026", "۰۴/۲۵/۲۰۲۶"]) == "mdy"
    assert order_of(["03/04/2026", "no date"]) is None
    april = read_moment("03/04/2026 10:00", NOW, UTC, "dmy")
    march = read_moment("03/04/2026 10:00", NOW, UTC, "mdy")
    assert april == Moment(datetime(2026, 4, 3, 10, tzinfo=UTC))
    assert march == Moment(datetime(2026, 3, 4, 10, tzinfo=UTC))


def test_what_is_absolute() -> None:
    assert all(is_absolute(text) for text in ("Nov. 22, 2026, 2 a.m.", "۱ آذر ۱۴۰۵", "22.11.26", "2026-11-22T01:00Z"))
    assert not any(is_absolute(text) for text in ("now", "5 минут назад", "دیروز", "22 нояб.", "3d"))


@given(st.text(max_size=60))
def test_no_text_crashes_the_reader(text: str) -> None:
    moment = read_moment(text, NOW, TEHRAN)
    assert moment is None or moment.at.utcoffset() == timedelta(0)


@given(st.integers(13_000_000, 34_000_000).map(lambda minutes: datetime.fromtimestamp(60 * minutes, UTC)))
def test_what_is_written_is_read(moment: datetime) -> None:
    half = "a.m." if moment.hour < 12 else "p.m."
    text = f"{moment:%b}. {moment.day}, {moment.year}, {moment.hour % 12 or 12}:{moment.minute:02} {half}"
    assert read_moment(text, NOW, UTC) == Moment(moment)
