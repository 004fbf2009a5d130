/** What tables say of films beside labels: folds, free subgroups, and where attributes come from. */
export const tables = `
-- Null: from the film itself; else the table that filled it in.
ALTER TABLE patient ADD COLUMN sex_source TEXT;
ALTER TABLE image ADD COLUMN age_source TEXT;

-- The part of the split that a data set's own folds give an image.
CREATE TABLE image_fold (
  image_id INTEGER PRIMARY KEY REFERENCES image (id),
  part TEXT NOT NULL CHECK (part IN ('train', 'validation', 'test')),
  source TEXT NOT NULL,
  recorded_at TEXT NOT NULL
) STRICT;

-- A free subgroup: any column of a table with few values.
CREATE TABLE image_subgroup (
  image_id INTEGER NOT NULL REFERENCES image (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  source TEXT NOT NULL,
  recorded_at TEXT NOT NULL,
  PRIMARY KEY (image_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_subgroup_by_value ON image_subgroup (name, value);
`;
