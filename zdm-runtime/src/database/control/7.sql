-- Version 7. At `live` a share of the instances reads new for all keys: its basis points, beside none in `read_basis_points`, so that
-- runtimes from before read old. NULL: the share is one of keys. `name` is what an instance calls itself, NULL for those from before.
ALTER TABLE {zdm}stage ADD COLUMN read_instances integer;

ALTER TABLE {zdm}instance ADD COLUMN name text;

-- Until when the contract of a migration can be taken back: old is kept under another name, and is dropped after that. NULL where
-- nothing is kept.
ALTER TABLE {zdm}migration ADD COLUMN kept_until bigint;
