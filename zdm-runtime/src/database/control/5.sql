-- Version 5. The audit log is a chain: every entry has a number and a hash over the hash before it and all its fields. Entries from
-- before stay outside it. `database_role`: whom the server had let in; `content_hash`: what of the migration an approval is for.

-- Where the chain ends: how many entries it has and the hash of the last; how many are from before it, and the greatest `entry` of
-- theirs. In a table that whoever moves a migration may write already, so that an upgrade takes no right away. First,
-- as who appends takes them.
ALTER TABLE {zdm}meta ADD COLUMN audit_entries bigint NOT NULL DEFAULT 0;

ALTER TABLE {zdm}meta ADD COLUMN audit_hash text NOT NULL DEFAULT '';

ALTER TABLE {zdm}meta ADD COLUMN audit_unchained bigint NOT NULL DEFAULT 0;

ALTER TABLE {zdm}meta ADD COLUMN audit_last_unchained bigint NOT NULL DEFAULT 0;

ALTER TABLE {zdm}audit ADD COLUMN database_role text;

ALTER TABLE {zdm}audit ADD COLUMN content_hash text;

ALTER TABLE {zdm}audit ADD COLUMN sequence bigint;

ALTER TABLE {zdm}audit ADD COLUMN previous_hash text;

ALTER TABLE {zdm}audit ADD COLUMN entry_hash text;

CREATE UNIQUE INDEX IF NOT EXISTS zdm_audit_sequence ON {zdm}audit (sequence);

UPDATE {zdm}meta SET audit_unchained = (SELECT count(*) FROM {zdm}audit),
    audit_last_unchained = (SELECT coalesce(max(entry), 0) FROM {zdm}audit);

-- When the migration was last moved back, or began to be: an approval from before does not count.
ALTER TABLE {zdm}migration ADD COLUMN taken_back_at bigint;
