"""Rows of a file into a study's posts: matched to its cities and import targets, every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from citystudy.config import Study
from citystudy.errors import InputError
from citystudy.privacy import Secret
from citystudy.store import DELETED_BEFORE, Post, Store
from crawlers.dates import as_stored
from crawlers.importers.cells import raw_post
from crawlers.importers.columns import ColumnMap, shown
from crawlers.importers.containers import Fault, Row, Table, open_table
from crawlers.importers.formats import FORMATS
from crawlers.importers.formats.base import Format
from crawlers.importers.places import Places
from crawlers.importers.recognition import check_asked, headers, recognise
from crawlers.intake import NO_TEXT, examine, protect

BATCH_ROWS = 500

REPEATED_ID = "repeated id"
OTHER_ROW = "row of another format"


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: rows read, bytes of the file read, bytes of the file in all."""

    rows: int
    bytes_read: int
    bytes_total: int


@dataclass(slots=True)
class ImportResult:
    """What became of a file: rows = new + edited + unchanged + the sum of dropped. Altered rows are among the kept.

    `format` is what the file was recognised as; a row of it that holds several posts counts as so many.
    """

    format: str = ""
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
    *,
    values: Mapping[str, str] | None = None,
    format_name: str | None = None,
) -> ImportResult:
    """Import a file of any known format, in batches that are each stored whole or not at all.

    `values` are the city or source of every row, before what the column map or the file says. The format is recognised
    by the file's first rows unless `format_name` tells it. Running it again, after an interruption or with a newer
    file, stores nothing twice. Raises InputError when the file or its columns can't be read at all, or can be of no
    city or target of the study; a bad row is counted under its reason.
    """
    check_asked(format_name, column_map)
    store.bind(secret)
    store.register(study)
    places = Places(study)
    given = {**(column_map.values if column_map else {}), **(values or {})}
    with open_table(path, headers(column_map)) as table:
        known = recognise(path, table, format_name, column_map, given, places.city_names)
        if known.source is not None:
            given.setdefault("source", known.source)
        places.check(path, given)
        if known.name in FORMATS:
            _check_told(path, table, known, given, places)
        reader = _Reader(places, secret, known, given)
        crawl = store.start_crawl(f"import {path.name}")
        result = ImportResult(known.name)
        size = path.stat().st_size
        batch = _Batch()
        for row in known.unfolded(table.rows):
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


def _check_told(path: Path, table: Table, known: Format, given: Mapping[str, str], places: Places) -> None:
    """Raise InputError where neither the file nor the user tells the city or the source of its posts."""
    if "city" not in given:
        raise InputError(
            f"{path}: posts of the format {known.name} do not say which city they are of; give it with --city NAME, one "
            f"of: {shown(places.city_names)}"
        )
    if "source" in given:
        return
    first = [row for row in known.unfolded(table.first) if not isinstance(row, Fault) and known.fits(row)]
    cells = [told for row in first if not isinstance(told := known.cells(row), str)]
    if cells and not any(one.get("source") for one in cells):
        raise InputError(
            f"{path}: posts of this {known.name} file do not say which platform they are of; give it with --source NAME, "
            "as it stands in the `rows` of an import target"
        )


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
        kept = saved.new + saved.edited + saved.unchanged
        if kept < len(posts):  # the store leaves out by itself what is known to be deleted
            result.dropped[DELETED_BEFORE] += len(posts) - kept


class _Reader:
    """Reads rows of one format as posts of a study."""

    def __init__(self, places: Places, secret: Secret, known: Format, given: Mapping[str, str]) -> None:
        self._places = places
        self._secret = secret
        self._format = known
        self._given = given
        self._now = datetime.now(UTC)
        self._fetched_at = as_stored(self._now)

    def read(self, row: Row) -> str | tuple[Post, tuple[str, ...]]:
        """Return a row's post and what was altered in it, or the reason it is left out."""
        if not self._format.fits(row):
            return OTHER_ROW
        cells = self._format.cells(row)
        if isinstance(cells, str):
            return cells
        cells.update(self._given)
        place = self._places.of(cells.get("city"), cells.get("source"))
        if isinstance(place, str):
            return place
        raw = raw_post(cells, self._format.clean)
        if isinstance(raw, str):
            return raw
        examined = examine(raw, self._now)
        if examined.post is None:
            return examined.dropped or NO_TEXT
        return protect(examined.post, place, self._secret, self._fetched_at), examined.altered
