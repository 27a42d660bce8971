-- Version 8. What holds the readers of a migration back in an instance, in words: limits of the environment, a file or a service of flags.
-- NULL: nothing does, or its runtime is from before.
ALTER TABLE {zdm}instance_code ADD COLUMN held text;
