"""Understanding of a whole study: read what is new, then group echoes and topics over everything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from citystudy.codeframe import CODED_LANGUAGES, KINDS
from citystudy.config import Study
from citystudy.store import Store, Topic
from citystudy.text import full_text
from nlp.echoes import find_echoes
from nlp.pipeline import Pipeline
from nlp.topics import TopicInput, learn_topics

BATCH = 500
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Analysed:
    """What an analysis did: posts read now, and what the study holds after it."""

    read: int
    statements: int
    echoes: int
    topics: int


def analyse(study: Study, store: Store, on_progress: OnProgress | None = None) -> Analysed:
    """Read the posts that are new or changed, then renew echoes and topics where their input has changed.

    `on_progress` is called with the stage's name, what is done and what there is to do (0 where unknown).
    """
    tell = on_progress or _silent
    read = _read_new(Pipeline(study), store, tell)
    _renew_echoes(store, tell)
    if study.analysis.topics:
        _renew_topics(study, store, tell)
    return Analysed(read, store.count("statement"), store.count("echo"), store.count("topic"))


def _silent(stage: str, done: int, total: int) -> None:
    pass


def _read_new(pipeline: Pipeline, store: Store, tell: OnProgress) -> int:
    total = store.count_unread(pipeline.identity)
    done = 0
    tell("reading", 0, total)
    while batch := store.unread_posts(pipeline.identity, BATCH):
        store.save_readings(list(pipeline.read(batch)), pipeline.identity)
        done += len(batch)
        tell("reading", done, total)
    return done


def _renew_echoes(store: Store, tell: OnProgress) -> None:
    made_from = _digest(store, "SELECT post, lang, content_hash FROM reading ORDER BY post")
    if store.stage_input("echoes") == made_from:
        return
    tell("echoes", 0, 0)
    rows = store.query("SELECT p.id, p.title, p.text, r.lang FROM post p JOIN reading r ON r.post = p.id ORDER BY p.id")
    echoes = find_echoes((row["id"], full_text(row["title"], row["text"]), row["lang"] or "") for row in rows)
    store.replace_echoes(echoes, made_from)


def _renew_topics(study: Study, store: Store, tell: OnProgress) -> None:
    made_from = _digest(store, 'SELECT id, evidence, kind, theme, start, "end" FROM statement ORDER BY id')
    made_from += f" seed {study.analysis.seed} cities {sorted(city.id for city in study.cities)}"
    if store.stage_input("topics") == made_from:
        return
    tell("topics", 0, 0)
    store.replace_topics(list(_topics(study, store)), made_from)


def _topics(study: Study, store: Store) -> Iterator[Topic]:
    names = {name for city in study.cities for name in city.all_names()}
    for lang in CODED_LANGUAGES:
        rows = store.query(_STATEMENTS, {"lang": lang})
        of_kind = {kind: list(group) for kind, group in groupby(rows, key=lambda row: row["kind"])}
        for kind in KINDS:
            inputs = [
                TopicInput(
                    statement=row["id"],
                    theme=row["theme"],
                    text=full_text(row["title"], row["text"])[row["start"] : row["end"]],
                    voice=row["author"] or f"post {row['head']}",
                )
                for row in of_kind.get(kind, ())
            ]
            yield from learn_topics(inputs, lang=lang, kind=kind, seed=study.analysis.seed, names=names)


# Copies of one text teach a topic once: only the first of each group of echoes is taken.
_STATEMENTS = """
SELECT s.id, s.kind, s.theme, s.start, s."end", p.title, p.text, p.author, COALESCE(e.head, p.id) AS head
FROM statement s JOIN post p ON p.id = s.post JOIN reading r ON r.post = p.id LEFT JOIN echo e ON e.post = p.id
WHERE r.lang = :lang AND COALESCE(e.head, p.id) = p.id
ORDER BY s.kind, s.id
"""


def _digest(store: Store, sql: str) -> str:
    digest = hashlib.sha256()
    for row in store.query(sql):
        digest.update(json.dumps(list(row.values())).encode())
    return digest.hexdigest()[:16]
