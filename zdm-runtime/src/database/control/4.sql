-- Version 4. `throttle`: why the worker of a chunk is slower than it could be, at present.

ALTER TABLE {zdm}chunk ADD COLUMN throttle text;

-- How far a verification is, who is at it, and how many rows it has repaired: one that was interrupted goes on there.
ALTER TABLE {zdm}verification ADD COLUMN cursor_table text;

ALTER TABLE {zdm}verification ADD COLUMN cursor_key text;

ALTER TABLE {zdm}verification ADD COLUMN lease_owner text;

ALTER TABLE {zdm}verification ADD COLUMN lease_epoch bigint NOT NULL DEFAULT 0;

ALTER TABLE {zdm}verification ADD COLUMN lease_until bigint NOT NULL DEFAULT 0;

ALTER TABLE {zdm}verification ADD COLUMN repaired bigint NOT NULL DEFAULT 0;
