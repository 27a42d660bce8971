-- Version 2. `rolled_back_at`: the last move of the migration was a way back, so `advance` does not take it forward by itself;
-- a step forward or `resume` ends that.

ALTER TABLE {zdm}migration ADD COLUMN rolled_back_at bigint;
