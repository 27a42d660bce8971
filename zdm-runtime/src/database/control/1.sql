-- The control tables, version 1; the files after this one add to it, nothing is ever taken away. One statement per paragraph; {zdm}, {now} and {id} are
-- put in by `Dialect::control`; times are milliseconds since 1970, taken from the database's clock.

CREATE TABLE IF NOT EXISTS {zdm}meta (
    version integer NOT NULL,
    least_runtime integer NOT NULL
);

-- One row per version that this database has seen.
CREATE TABLE IF NOT EXISTS {zdm}migration (
    migration text PRIMARY KEY,
    version integer NOT NULL,
    name text NOT NULL,
    content_hash text NOT NULL,
    route text NOT NULL,
    expanded_at bigint,
    contracted_at bigint
);

-- Every generated write and read carries its table's epoch; every change of a stage moves it.
CREATE TABLE IF NOT EXISTS {zdm}fence (
    table_name text PRIMARY KEY,
    epoch bigint NOT NULL
);

-- Where a migration stands. `epoch` counts its hops; `old_since` and `new_since` are the epoch from which on that side has
-- been maintained without a break (NULL: it is not), so a verification counts if its epoch is not smaller.
CREATE TABLE IF NOT EXISTS {zdm}stage (
    migration text PRIMARY KEY,
    stage text NOT NULL,
    read_basis_points integer NOT NULL,
    salt text NOT NULL,
    epoch bigint NOT NULL,
    drained_epoch bigint NOT NULL,
    entered_at bigint NOT NULL,
    old_since bigint,
    new_since bigint,
    paused_at bigint
);

CREATE TABLE IF NOT EXISTS {zdm}stage_table (
    migration text NOT NULL,
    table_name text NOT NULL,
    PRIMARY KEY (migration, table_name)
);

-- Entries of up.sql that are in effect; an undo removes them.
CREATE TABLE IF NOT EXISTS {zdm}step (
    migration text NOT NULL,
    section text NOT NULL,
    number integer NOT NULL,
    content_hash text NOT NULL,
    done_at bigint NOT NULL,
    PRIMARY KEY (migration, section, number)
);

-- direction: up, reverse. state: open, done. Keys are JSON arrays of text. A table without rows has one chunk, done.
CREATE TABLE IF NOT EXISTS {zdm}chunk (
    chunk {id},
    migration text NOT NULL,
    table_name text NOT NULL,
    direction text NOT NULL,
    lo text NOT NULL,
    hi text NOT NULL,
    cursor_key text,
    state text NOT NULL,
    lease_owner text,
    lease_epoch bigint NOT NULL,
    lease_until bigint NOT NULL,
    rows_seen bigint NOT NULL,
    rows_changed bigint NOT NULL,
    batches bigint NOT NULL,
    attempts integer NOT NULL
);

-- state: waiting, waived, released.
CREATE TABLE IF NOT EXISTS {zdm}quarantine (
    migration text NOT NULL,
    table_name text NOT NULL,
    row_key text NOT NULL,
    column_name text NOT NULL,
    error text NOT NULL,
    value_type text NOT NULL,
    state text NOT NULL,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (migration, table_name, row_key, column_name)
);

-- side: new, old (which one is to be read). state: running, passed, failed. epoch: the stage's at the start.
CREATE TABLE IF NOT EXISTS {zdm}verification (
    verification {id},
    migration text NOT NULL,
    epoch bigint NOT NULL,
    side text NOT NULL,
    state text NOT NULL,
    rows_seen bigint NOT NULL,
    mismatches bigint NOT NULL,
    skipped bigint NOT NULL,
    started_at bigint NOT NULL,
    finished_at bigint
);

CREATE TABLE IF NOT EXISTS {zdm}instance (
    instance text PRIMARY KEY,
    label text NOT NULL,
    started_at bigint NOT NULL,
    lease_until bigint NOT NULL
);

-- The migrations that an instance's code knows, and whether it was generated for the transition or after it.
CREATE TABLE IF NOT EXISTS {zdm}instance_code (
    instance text NOT NULL,
    migration text NOT NULL,
    code_state text NOT NULL,
    PRIMARY KEY (instance, migration)
);

-- The tables that an instance writes, and the epoch that it last acted on.
CREATE TABLE IF NOT EXISTS {zdm}instance_fence (
    instance text NOT NULL,
    table_name text NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (instance, table_name)
);

-- Rows whose sides an instance saw to differ while it compared them.
CREATE TABLE IF NOT EXISTS {zdm}mismatch (
    migration text NOT NULL,
    instance text NOT NULL,
    mismatches bigint NOT NULL,
    PRIMARY KEY (migration, instance)
);

-- Who may move a migration now: one command line at a time.
CREATE TABLE IF NOT EXISTS {zdm}operator (
    migration text PRIMARY KEY,
    owner text NOT NULL,
    lease_epoch bigint NOT NULL,
    lease_until bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS {zdm}audit (
    entry {id},
    recorded_at bigint NOT NULL,
    actor text NOT NULL,
    migration text NOT NULL,
    action text NOT NULL,
    statement text,
    outcome text NOT NULL,
    duration_ms bigint NOT NULL,
    detail text NOT NULL
);
