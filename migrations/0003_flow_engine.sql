-- The flow engine whole: what a run is about, its output and variables, the ledger of what it has
-- taken, large outputs apart from the rows that are read often, and steps that nobody knows the
-- outcome of.
ALTER TABLE run
    ADD COLUMN subject_kind TEXT NOT NULL DEFAULT 'order',
    ADD COLUMN output JSONB,
    ADD COLUMN undo_tries INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN steered BOOLEAN NOT NULL DEFAULT false,
    ADD CONSTRAINT known_subject CHECK (subject_kind IN ('nothing', 'order', 'service', 'payment'));
CREATE INDEX run_parent ON run (parent);

-- A worker gives tokens their ids, so that a token moves from node to node as one row does. Runs
-- are held by one worker at a time, who alone writes their tokens.
ALTER TABLE token RENAME TO token_before;
ALTER TABLE token_before RENAME CONSTRAINT known_state TO known_state_before;
DROP INDEX token_run, token_signal_key;
CREATE TABLE token (
    id UUID PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    scope TEXT NOT NULL DEFAULT '/',
    node TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    since TIMESTAMPTZ,
    wake_at TIMESTAMPTZ,
    signal_key TEXT NOT NULL DEFAULT '',
    memo JSONB NOT NULL DEFAULT '{}',
    heard JSONB,
    error JSONB,
    doubt BOOLEAN NOT NULL DEFAULT false,
    override JSONB,
    CONSTRAINT known_state CHECK (state IN ('ready', 'started', 'waiting', 'inside', 'halted'))
);
CREATE INDEX token_run ON token (run);
INSERT INTO token (id, run, scope, node, state, attempt, wake_at, signal_key, memo)
SELECT gen_random_uuid(), run, scope, node, state, attempt, wake_at, signal_key, memo
FROM token_before ORDER BY id;
DROP TABLE token_before;

-- Outputs over 64 KB are blobs.
CREATE TABLE run_blob (
    id UUID PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    content JSONB NOT NULL
);
CREATE INDEX run_blob_run ON run_blob (run);

ALTER TABLE step_attempt
    ADD COLUMN type TEXT NOT NULL DEFAULT '',
    ADD COLUMN version INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN error_kind TEXT NOT NULL DEFAULT '',
    ADD COLUMN blob UUID REFERENCES run_blob ON DELETE RESTRICT;

CREATE TABLE run_variable (
    id BIGSERIAL PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    name TEXT NOT NULL,
    value JSONB NOT NULL DEFAULT 'null',
    CONSTRAINT run_variable_once UNIQUE (run, name)
);

CREATE TABLE run_resource (
    id BIGSERIAL PRIMARY KEY,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    scope TEXT NOT NULL DEFAULT '/',
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    state TEXT NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    CONSTRAINT run_resource_once UNIQUE (run, scope, node, kind, reference),
    CONSTRAINT known_state CHECK (state IN ('taken', 'delivered', 'returned'))
);

-- Every step writes these tables: what another index serves as well is not kept twice.
DROP INDEX step_attempt_run, run_signal_signal_key;
CREATE INDEX ix_token_signal ON token (signal_key) WHERE signal_key <> '';
CREATE INDEX ix_run_resource_taken ON run_resource (run) WHERE state = 'taken';
CREATE INDEX ix_step_attempt_blob ON step_attempt (blob) WHERE blob IS NOT NULL;
