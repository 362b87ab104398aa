-- Posts deleted at their source, second looks, and posts of which only the country is known.

CREATE TABLE tombstone (
    key TEXT PRIMARY KEY,
    deleted_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE crawl ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE post ADD COLUMN looked_at TEXT;
CREATE INDEX post_second_look ON post (target, fetched_at) WHERE looked_at IS NULL;

-- SQLite can't change a CHECK in place.
ALTER TABLE post ADD COLUMN basis TEXT NOT NULL DEFAULT 'target'
    CHECK (basis IN ('target', 'coordinates', 'mention', 'country'));
UPDATE post SET basis = city_basis;
ALTER TABLE post DROP COLUMN city_basis;
ALTER TABLE post RENAME COLUMN basis TO city_basis;

-- What a source's daily quota has been spent on; `day` is the quota's own day.
CREATE TABLE quota (
    source TEXT NOT NULL,
    bucket TEXT NOT NULL,
    day TEXT NOT NULL,
    spent INTEGER NOT NULL,
    PRIMARY KEY (source, bucket, day)
) STRICT, WITHOUT ROWID;
