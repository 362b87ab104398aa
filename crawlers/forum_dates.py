"""Dates as forums write them, absolute and relative, in English, Russian, Persian and Arabic, read as UTC."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import Literal

from crawlers.dates import parse_date
from crawlers.jalali import MONTHS as JALALI_MONTHS
from crawlers.jalali import from_jalali

LONGEST = 80
JALALI_YEARS = range(1340, 1430)  # 1961-2051; the same years of the Hijri calendar lie a century before forums
FULL_YEAR = 1000
CENTURY = 2000
YEAR_DIGITS = 4
NOON = 12
LATEST_DAY = 31
MONTHS_A_YEAR = 12

Order = Literal["dmy", "mdy"]

_FOLDED = str.maketrans({
    "ي": "ی", "ى": "ی", "ئ": "ی", "ك": "ک", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ؤ": "و", "ё": "е",
    "\u200c": " ", "\u00a0": " ", "\u202f": " ", "،": ",", "٫": ".", "ـ": "", "’": "'",
})  # fmt: skip
_INVISIBLE = re.compile("[\u200b\u200d-\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff\u064b-\u0652\u0670]")

_UNITS: dict[str, timedelta] = {
    unit: size
    for size, units in {
        timedelta(seconds=1): "second seconds sec secs секунду секунды секунд сек ثانیه ثوان ثوانی",
        timedelta(minutes=1): "minute minutes min mins минуту минуты минут мин دقیقه دقایق دقیقتین دقیقتان",
        timedelta(hours=1): "hour hours hr hrs час часа часов ساعت ساعه ساعات ساعتین ساعتان",
        timedelta(days=1): "day days день дня дней дн روز یوم ایام یوما یومین یومان",
        timedelta(weeks=1): "week weeks неделю недели недель нед هفته اسبوع اسابیع اسبوعا اسبوعین اسبوعان",
        timedelta(days=30): "month months месяц месяца месяцев мес ماه شهر اشهر شهور شهرا شهرین شهران",
        timedelta(days=365): "year years год года лет سال سنه سنوات عام اعوام عاما سنتین عامین سنتان عامان",
    }.items()
    for unit in units.split()
}
_TWO = {unit for unit in _UNITS if unit.endswith(("ین", "تان", "مان", "ران", "عان"))}
_ONE = {"a", "an", "one", "یک"}
_AGO_AFTER = ("ago", "назад", "پیش", "قبل")  # 5 minutes ago, 5 минут назад, 5 دقیقه پیش
_AGO_BEFORE = ("منذ", "قبل")  # منذ 5 دقائق
_NOW = {
    "now", "just now", "right now", "moments ago", "a moment ago", "a few seconds ago", "less than a minute ago",
    "только что", "сейчас", "менее минуты назад", "несколько секунд назад",
    "هم اکنون", "همین الان", "همین حالا", "اکنون", "لحظاتی پیش", "لحظاتی قبل", "چند لحظه پیش", "چند ثانیه پیش",
    "الان", "منذ لحظات", "قبل لحظات", "منذ ثوان", "منذ قلیل",
}  # fmt: skip
_DAYS_BACK = {
    **dict.fromkeys(("today", "сегодня", "امروز", "الیوم"), 0),
    **dict.fromkeys(("yesterday", "вчера", "دیروز", "امس", "البارحه"), 1),
    **dict.fromkeys(("позавчера", "پریروز", "اول امس"), 2),
}
_MORNING = ("am", "a.m.", "a.m", "ص", "صباحا", "ق.ظ", "ق.ظ.", "قبل از ظهر", "صبح")
_EVENING = ("pm", "p.m.", "p.m", "م", "مساء", "ب.ظ", "ب.ظ.", "بعد از ظهر", "بعدازظهر", "عصر")
_HALF = "|".join(re.escape(word) for word in sorted(_MORNING + _EVENING, key=len, reverse=True))
_CLOCK = re.compile(rf"(?<![\d:])(\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:\.\d+)?)?(?![\d:])(?:\s*({_HALF})(?!\w))?")
_HOUR_ALONE = re.compile(rf"(?<![\d:./-])(\d{{1,2}})\s*({_HALF})(?!\w)")
_NAMED_HOUR = re.compile(r"\b(?:(midnight)|noon)\b")
_ZONE = re.compile(r"\s*(?:(?:utc|gmt)\s*)?([+-])(\d{1,2}):?(\d{2})?$|\s*\b(?:utc|gmt|z)$")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(z|[+-]\d{2}:?\d{2})?$")
_EPOCH = re.compile(r"\d{9,13}")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{1,4})(?!\d)")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_NUMBER = re.compile(r"(?<![\d:])\d{1,4}(?![\d:])")
_PLACE = re.compile(r"#\d+")  # the post's number within its topic
_WORD = re.compile(r"[^\W\d_]+")
# What may stand beside a date: anything else makes it a sentence that mentions one.
_BESIDE_WORDS = (
    "at on in posted by the of st nd rd th в г года от написано опубликовано сообщение добавлено ответ дата date time "
    "sent created wrote joined در تاریخ ساعت ارسال ارسالی شده نوشته توسط مورخ مورخه سال روز الساعه ساعه بتاریخ فی تاریخ "
    "نشر کتب یوم سنه م هـ ش ه и and و last post most recent последнее آخرین اخر مشارکه re reply added"
)
_BESIDE = frozenset(_BESIDE_WORDS.split())
_RUSSIAN_SHORT = "янв фев мар апр мая июн июл авг сен окт ноя дек"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in UTC; `rounded` where it was told as an age in days or more, so that its clock time is not known."""

    at: datetime
    rounded: bool = False


def read_moment(text: str, now: datetime, zone: tzinfo, order: Order | None = None) -> Moment | None:
    """Return the moment that a short text tells; None when it tells none.

    `now` is when the page was made, `zone` that of clock times without one. `order` settles dates such as 03/04/2026;
    without it they stay unread, since a guess would be wrong half of the time.
    """
    folded = fold(text)
    if not folded or len(folded) > LONGEST:
        return None
    iso = _ISO.fullmatch(folded)
    if iso or _EPOCH.fullmatch(folded):
        moment = parse_date(folded.upper())
        if moment is not None and iso and not iso[1]:
            moment = moment.replace(tzinfo=zone).astimezone(UTC)
        return Moment(moment) if moment else None
    folded = _PLACE.sub(" ", folded).strip()
    return _relative(folded, now, zone) or _absolute(folded, now, zone, order)


def is_absolute(text: str) -> bool:
    """Tell whether a text tells a moment that does not depend on when it is read."""
    folded = fold(text)
    return len(folded) <= LONGEST and (_YEAR.search(folded) or _NUMERIC.search(folded)) is not None


def order_of(texts: Iterable[str]) -> Order | None:
    """Return which of day and month comes first in a page's numeric dates, where one of them has a day above 12."""
    for text in texts:
        for found in _NUMERIC.finditer(fold(text)):
            if len(found[4]) == YEAR_DIGITS:
                if MONTHS_A_YEAR < int(found[1]) <= LATEST_DAY:
                    return "dmy"
                if MONTHS_A_YEAR < int(found[3]) <= LATEST_DAY:
                    return "mdy"
    return None


def fold(text: str) -> str:
    """Return a text in lower case with plain digits, spaces and letters that differ only in how a keyboard writes them."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text.strip()[: LONGEST * 4])).lower().translate(_FOLDED)
    digits = "".join(str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in plain)
    return " ".join(digits.split())


def _relative(folded: str, now: datetime, zone: tzinfo) -> Moment | None:
    if folded in _NOW:
        return Moment(now)
    age = _age(folded)
    if age is not None:
        try:
            return Moment(now - age, rounded=age >= timedelta(days=1))
        except OverflowError:
            return None
    for phrase, back in _DAYS_BACK.items():
        if re.search(rf"(?<!\w){phrase}(?!\w)", folded):
            rest = folded.replace(phrase, " ")
            clock, rest = _clock(rest)
            if not _only_beside(rest):
                return None
            day = now.astimezone(zone).date() - timedelta(days=back)
            return Moment(_at(day, clock or time(NOON), zone), rounded=clock is None)
    return None


def _age(folded: str) -> timedelta | None:
    """Return how long ago 'five minutes ago' was."""
    words = folded.rstrip(".").split()
    for marker in _AGO_AFTER:
        if words[-1:] == [marker] and len(words) > 1:
            return _length(words[:-1])
    for marker in _AGO_BEFORE:
        if words[:1] == [marker]:
            return _length(words[1:])
    return None


def _length(words: list[str]) -> timedelta | None:
    words = [word for word in words if word not in {"about", "около", "over", "almost", "حدود", "حوالی"}]
    match words:
        case [unit] if unit in _UNITS:
            return _UNITS[unit] * (2 if unit in _TWO else 1)
        case [number, unit] if unit in _UNITS and (number in _ONE or (number.isdecimal() and len(number) < 5)):  # noqa: PLR2004
            return _UNITS[unit] * (1 if number in _ONE else int(number))
    return None


def _absolute(folded: str, now: datetime, zone: tzinfo, order: Order | None) -> Moment | None:
    offset = _ZONE.search(folded)
    if offset and ":" in folded:  # a zone belongs to a clock time
        folded = folded[: offset.start()]
        shift = timedelta(hours=int(offset[2] or 0), minutes=int(offset[3] or 0))
        if shift >= timedelta(days=1):
            return None
        zone = timezone(-shift if offset[1] == "-" else shift)
    clock, rest = _clock(folded)
    day = _numeric_day(rest, order) or _named_day(rest, now, zone)
    if day is None:
        return None
    moment = _at(day, clock or time(NOON), zone)
    return Moment(moment, rounded=clock is None)


def _clock(folded: str) -> tuple[time | None, str]:
    """Return the clock time in a text, and the text without it."""
    found = _CLOCK.search(folded) or _HOUR_ALONE.search(folded) or _NAMED_HOUR.search(folded)
    if found is None:
        return None, folded
    rest = f"{folded[: found.start()]} {folded[found.end() :]}"
    if found.re is _NAMED_HOUR:
        return time(0 if found[1] else NOON), rest
    minute, second, half = (found[2], found[3], found[4]) if found.re is _CLOCK else ("0", None, found[2])
    hour = int(found[1])
    if half is not None and hour <= NOON:
        hour = hour % NOON + (NOON if half in _EVENING else 0)
    try:
        return time(hour, int(minute), int(second or 0)), rest
    except ValueError:
        return None, folded


def _numeric_day(rest: str, order: Order | None) -> date | None:
    found = _NUMERIC.search(rest)
    if found is None or not _only_beside(_NUMERIC.sub(" ", rest, count=1), weekday=True):
        return None
    first, second, third = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == YEAR_DIGITS:
        return _day(first, second, third)
    if len(found[4]) not in {2, YEAR_DIGITS}:
        return None
    year = third if len(found[4]) == YEAR_DIGITS else CENTURY + third
    if found[2] == "." or first > MONTHS_A_YEAR or first == second:
        order = "dmy"
    elif second > MONTHS_A_YEAR:
        order = "mdy"
    if order is None:
        return None
    return _day(year, second, first) if order == "dmy" else _day(year, first, second)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return from_jalali(year, month, day) if year in JALALI_YEARS else date(year, month, day)
    except ValueError:
        return None


def _named_day(rest: str, now: datetime, zone: tzinfo) -> date | None:
    """Return the day of '22 ноября 2026', 'Nov. 22, 2026' or '۱ آذر ۱۴۰۵'; a day without a year lies in the past year."""
    for found in _month_name().finditer(rest):
        month, jalali = _months()[found[0]]
        left = f"{rest[: found.start()]} {rest[found.end() :]}"
        numbers = [int(number) for number in _NUMBER.findall(left)]
        days = [number for number in numbers if 1 <= number <= LATEST_DAY]
        years = [number for number in numbers if number >= FULL_YEAR]
        if len(days) != 1 or len(years) > 1 or len(days) + len(years) != len(numbers):
            continue
        if _only_beside(_NUMBER.sub(" ", left), weekday=True):
            return _with_year(years, month, days[0], now.astimezone(zone).date(), jalali=jalali)
    return None


def _with_year(years: list[int], month: int, day: int, today: date, *, jalali: bool) -> date | None:
    make = from_jalali if jalali else date
    if years and jalali != (years[0] in JALALI_YEARS):
        return None
    this = today.year - 621 if jalali else today.year
    for year in years or (this, this - 1):
        try:
            found = make(year, month, day)
        except ValueError:
            continue
        if years or found <= today + timedelta(days=1):
            return found
    return None


@cache
def _months() -> dict[str, tuple[int, bool]]:
    """Return the number of each month by its folded names, longest first, and whether it is of the Jalali calendar."""
    from babel.dates import get_month_names

    names: dict[str, tuple[int, bool]] = {}
    # Arabic has three sets of month names: Egypt and the Gulf, the Levant, the Maghreb.
    for locale in ("en", "ru", "fa", "ar", "ar_SY", "ar_DZ", "ar_MA"):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in get_month_names(width, context, locale).items():
                    names.setdefault(fold(name).rstrip("."), (number, False))
    for number, prefix in enumerate(_RUSSIAN_SHORT.split(), start=1):
        names.setdefault(prefix, (number, False))
    names |= {"sept": (9, False), "اگوست": (8, False), "جولای": (7, False)}
    names |= {
        fold(name): (number, True) for number, name in enumerate(JALALI_MONTHS, start=1) if fold(name) not in names
    }
    return dict(sorted(names.items(), key=lambda entry: -len(entry[0])))


@cache
def _month_name() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _months()))})(?!\w)")


@cache
def _weekdays() -> frozenset[str]:
    from babel.dates import get_day_names

    words: set[str] = set()
    for locale in ("en", "ru", "fa", "ar"):
        for width in ("wide", "abbreviated"):
            for name in get_day_names(width, locale=locale).values():
                words.update(_WORD.findall(fold(name)))
    return frozenset(words)


def _only_beside(rest: str, *, weekday: bool = False) -> bool:
    known = _BESIDE | _weekdays() if weekday else _BESIDE
    return all(word in known for word in _WORD.findall(rest))


def _at(day: date, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
