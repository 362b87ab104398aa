"""Rows of a file into a study's posts: matched to its cities and import targets, every row accounted for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from citystudy.config import ImportTarget, Study, slug
from citystudy.privacy import Secret
from citystudy.store import Post, Store
from crawlers.dates import as_stored, parse_date
from crawlers.importers.columns import COUNTS, ColumnMap
from crawlers.importers.rows import Fault, Row, open_table
from crawlers.intake import DATE_UNREADABLE, NO_ID, NO_TEXT, Place, examine, protect
from crawlers.items import RawPost
from crawlers.markup import plain

BATCH_ROWS = 500

WRONG_TYPE = "wrong type"
REPEATED_ID = "repeated id"
NO_CITY = "no city"
NO_SOURCE = "no source"
CITY_UNKNOWN = "city not in study"
CITY_AMBIGUOUS = "two cities of the study bear this name"
SOURCE_UNKNOWN = "source not in study"


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: rows read, bytes of the file read, bytes of the file in all."""

    rows: int
    bytes_read: int
    bytes_total: int


@dataclass(slots=True)
class ImportResult:
    """What became of a file: rows = new + edited + unchanged + the sum of dropped. Altered rows are among the kept."""

    rows: int = 0
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)


def import_file(
    study: Study,
    secret: Secret,
    store: Store,
    path: Path,
    column_map: ColumnMap | None = None,
    on_progress: Callable[[ImportProgress], None] | None = None,
) -> ImportResult:
    """Import a JSON Lines or CSV file, plain or gzipped, in batches that are each stored whole or not at all.

    Running it again, after an interruption or with a newer file, stores nothing twice. Raises InputError when the file
    or its columns can't be read at all; a bad row is counted under its reason.
    """
    store.bind(secret)
    store.register(study)
    column_map = column_map or ColumnMap()
    with open_table(path) as table:
        reader = _Reader(study, secret, column_map.resolve(path, table.columns), column_map.values)
        crawl = store.start_crawl(f"import {path.name}")
        result = ImportResult()
        size = path.stat().st_size
        batch = _Batch()
        for row in table.rows:
            result.rows += 1
            batch.add(row.reason if isinstance(row, Fault) else reader.read(row))
            if batch.rows == BATCH_ROWS:
                batch.save(store, crawl, result)
                batch = _Batch()
                if on_progress is not None:
                    on_progress(ImportProgress(result.rows, table.position(), size))
        batch.save(store, crawl, result)
        if on_progress is not None:
            on_progress(ImportProgress(result.rows, size, size))
    store.end_crawl(crawl, "finished")
    return result


class _Batch:
    """Rows that are stored in one transaction."""

    def __init__(self) -> None:
        self.rows = 0
        self._posts: list[Post] = []
        self._dropped: Counter[str] = Counter()
        self._altered: Counter[str] = Counter()

    def add(self, read: str | tuple[Post, tuple[str, ...]]) -> None:
        """Take a row: a post and what was altered in it, or the reason it is left out."""
        self.rows += 1
        if isinstance(read, str):
            self._dropped[read] += 1
        else:
            self._posts.append(read[0])
            self._altered.update(read[1])

    def save(self, store: Store, crawl: int, result: ImportResult) -> None:
        """Store the batch and add it to the result."""
        fresh = store.first_seen(crawl, [post.key for post in self._posts])
        posts = []
        for post in self._posts:
            if post.key in fresh:
                fresh.discard(post.key)
                posts.append(post)
            else:
                self._dropped[REPEATED_ID] += 1
        saved = store.save_posts(crawl, posts, self._dropped, altered=self._altered)
        result.new += saved.new
        result.edited += saved.edited
        result.unchanged += saved.unchanged
        result.dropped.update(self._dropped)
        result.altered.update(self._altered)


class _Reader:
    """Reads rows as posts of a study."""

    def __init__(self, study: Study, secret: Secret, columns: Mapping[str, str], values: Mapping[str, str]) -> None:
        self._secret = secret
        self._columns = columns
        self._values = values
        self._now = datetime.now(UTC)
        self._fetched_at = as_stored(self._now)
        self._cities = _cities_by_name(study)
        self._places = {
            (city.id, target.rows.casefold()): Place(city.target_id(target), city.id, target.post_source)
            for city, target in study.targets()
            if isinstance(target, ImportTarget)
        }

    def read(self, row: Row) -> str | tuple[Post, tuple[str, ...]]:
        """Return a row's post and what was altered in it, or the reason it is left out."""
        cells = {name: row.get(column) for name, column in self._columns.items()}
        cells.update(self._values)
        place = self._place(cells.get("city"), cells.get("source"))
        if isinstance(place, str):
            return place
        raw = _raw_post(cells)
        if isinstance(raw, str):
            return raw
        examined = examine(raw, self._now)
        if examined.post is None:
            return examined.dropped or NO_TEXT
        return protect(examined.post, place, self._secret, self._fetched_at), examined.altered

    def _place(self, city: object, source: object) -> Place | str:
        for value, missing in ((city, NO_CITY), (source, NO_SOURCE)):
            if value is None or value == "":
                return missing
            if not isinstance(value, str):
                return WRONG_TYPE
        found = self._cities.get(slug(str(city)), CITY_UNKNOWN)
        if found in {CITY_UNKNOWN, CITY_AMBIGUOUS}:
            return found
        return self._places.get((found, str(source).strip().casefold()), SOURCE_UNKNOWN)


def _cities_by_name(study: Study) -> dict[str, str]:
    cities: dict[str, str] = {}
    for city in study.cities:
        for name in {slug(name) for name in city.all_names()}:
            cities[name] = city.id if cities.get(name, city.id) == city.id else CITY_AMBIGUOUS
    return cities


def _raw_post(cells: Mapping[str, Any]) -> RawPost | str:
    native_id = cells.get("id")
    if isinstance(native_id, bool) or not isinstance(native_id, str | int | None):
        return WRONG_TYPE
    if native_id is None or native_id == "":
        return NO_ID
    title, text = cells.get("title"), cells.get("text")
    if not isinstance(title, str | None) or not isinstance(text, str | None):
        return WRONG_TYPE
    written = cells.get("created_at")
    created_at = parse_date(written)
    author = _word(cells.get("author"))
    return RawPost(
        native_id=str(native_id),
        title=plain(title or ""),
        text=plain(text or ""),
        author=author,
        author_names=(author,) if author else (),
        url=_word(cells.get("url")),
        thread=_word(cells.get("thread")),
        parent=_word(cells.get("parent")),
        created_at=created_at,
        edited_at=parse_date(cells.get("edited_at")),
        declared_lang=_word(cells.get("lang")),
        counts={name: n for name in COUNTS if (n := _whole(cells.get(name))) is not None} or None,
        latitude=_real(cells.get("latitude")),
        longitude=_real(cells.get("longitude")),
        flaws=(DATE_UNREADABLE,) if written is not None and created_at is None else (),
    )


def _word(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _real(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _real(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else None
