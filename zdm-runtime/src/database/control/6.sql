-- Version 6. A verification has a checksum per side, in 16 hexadecimal digits, and counts the rows that agree by `down` alone; NULL
-- where none were made.
ALTER TABLE {zdm}verification ADD COLUMN old_checksum text;

ALTER TABLE {zdm}verification ADD COLUMN new_checksum text;

ALTER TABLE {zdm}verification ADD COLUMN by_down bigint;
