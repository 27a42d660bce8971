-- Version 3. `rolled_back_to`: where the rollback that holds the migration leads, put on record before it moves anything. One that
-- was interrupted is ended there, one that is there already goes no further by itself.

ALTER TABLE {zdm}migration ADD COLUMN rolled_back_to text;
