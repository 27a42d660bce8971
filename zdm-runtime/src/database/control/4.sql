-- Version 4. `throttle`: why the worker of a chunk is slower than it could be, at present.

ALTER TABLE {zdm}chunk ADD COLUMN throttle text;
