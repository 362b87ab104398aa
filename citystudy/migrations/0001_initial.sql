-- The words of the study as tables. Times are UTC, ISO 8601 with Z; JSON columns hold UTF-8 JSON.

CREATE TABLE study (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret_fingerprint TEXT NOT NULL
) STRICT;

CREATE TABLE city (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    country TEXT NOT NULL
) STRICT;

CREATE TABLE target (
    id TEXT PRIMARY KEY,
    city TEXT NOT NULL REFERENCES city (id),
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    comparable INTEGER NOT NULL CHECK (comparable IN (0, 1)),
    note TEXT NOT NULL,
    cursor TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE crawl (
    id INTEGER PRIMARY KEY,
    target TEXT REFERENCES target (id),
    origin TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,
    new INTEGER NOT NULL DEFAULT 0,
    edited INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE dropped (
    crawl INTEGER NOT NULL REFERENCES crawl (id),
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (crawl, reason)
) STRICT, WITHOUT ROWID;

-- What was altered in posts that were kept: a date that can't be true taken away, a text cut.
CREATE TABLE altered (
    crawl INTEGER NOT NULL REFERENCES crawl (id),
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (crawl, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE post (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    target TEXT NOT NULL REFERENCES target (id),
    city TEXT NOT NULL REFERENCES city (id),
    city_basis TEXT NOT NULL CHECK (city_basis IN ('target', 'coordinates', 'mention')),
    author TEXT,
    sealed TEXT NOT NULL,
    thread TEXT,
    parent TEXT,
    created_at TEXT,
    edited_at TEXT,
    fetched_at TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    declared_lang TEXT,
    counts TEXT,
    latitude REAL,
    longitude REAL,
    content_hash TEXT NOT NULL
) STRICT;
CREATE INDEX post_city ON post (city);
CREATE INDEX post_target ON post (target);
CREATE INDEX post_created ON post (created_at);

CREATE VIRTUAL TABLE post_fts USING fts5 (title, text, content = 'post', content_rowid = 'id');
CREATE TRIGGER post_fts_insert AFTER INSERT ON post BEGIN
    INSERT INTO post_fts (rowid, title, text) VALUES (new.id, new.title, new.text);
END;
CREATE TRIGGER post_fts_delete AFTER DELETE ON post BEGIN
    INSERT INTO post_fts (post_fts, rowid, title, text) VALUES ('delete', old.id, old.title, old.text);
END;
CREATE TRIGGER post_fts_update AFTER UPDATE OF title, text ON post BEGIN
    INSERT INTO post_fts (post_fts, rowid, title, text) VALUES ('delete', old.id, old.title, old.text);
    INSERT INTO post_fts (rowid, title, text) VALUES (new.id, new.title, new.text);
END;

-- What a post said before an edit that was seen.
CREATE TABLE edit (
    id INTEGER PRIMARY KEY,
    post INTEGER NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    replaced_at TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- One row for each post the pipeline has read, and what it found out about the whole post.
CREATE TABLE reading (
    post INTEGER PRIMARY KEY REFERENCES post (id) ON DELETE CASCADE,
    pipeline TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    lang TEXT,
    coded INTEGER NOT NULL CHECK (coded IN (0, 1)),
    advert INTEGER NOT NULL CHECK (advert IN (0, 1))
) STRICT;

CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    evidence TEXT NOT NULL UNIQUE,
    post INTEGER NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('problem', 'wish', 'preference')),
    theme TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL CHECK ("end" > start),
    score REAL NOT NULL
) STRICT;
CREATE INDEX statement_post ON statement (post);

CREATE TABLE mention (
    post INTEGER NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    sort TEXT NOT NULL CHECK (sort IN ('segment', 'brand', 'district')),
    name TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    PRIMARY KEY (post, sort, name, start)
) STRICT, WITHOUT ROWID;

-- Posts that repeat another's text; head is the first post of the group, itself included.
CREATE TABLE echo (
    post INTEGER PRIMARY KEY REFERENCES post (id) ON DELETE CASCADE,
    head INTEGER NOT NULL
) STRICT;

CREATE TABLE topic (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    lang TEXT NOT NULL,
    theme TEXT NOT NULL,
    label TEXT NOT NULL,
    words TEXT NOT NULL
) STRICT;

CREATE TABLE statement_topic (
    statement INTEGER PRIMARY KEY REFERENCES statement (id) ON DELETE CASCADE,
    topic TEXT NOT NULL REFERENCES topic (id) ON DELETE CASCADE
) STRICT;

-- What a whole-study stage (echoes, topics) was last made from; it is made again when that has changed.
CREATE TABLE stage (
    name TEXT PRIMARY KEY,
    input TEXT NOT NULL
) STRICT;

CREATE TABLE report (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    as_of TEXT,
    previous TEXT,
    findings TEXT NOT NULL
) STRICT;
