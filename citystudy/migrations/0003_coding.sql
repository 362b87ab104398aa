-- How bad a problem is (1 nuisance, 2 hardship, 3 danger; null where it is no problem) and how strongly it is said.
ALTER TABLE statement ADD COLUMN severity INTEGER CHECK (severity BETWEEN 1 AND 3);
ALTER TABLE statement ADD COLUMN intensity INTEGER NOT NULL DEFAULT 1 CHECK (intensity BETWEEN 1 AND 3);
