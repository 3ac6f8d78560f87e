-- Programs that act for a person, and what they were answered: asked twice, the same answer.
CREATE TABLE api_token (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    token_hash BYTEA UNIQUE NOT NULL,
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
CREATE INDEX api_token_account ON api_token (account);

CREATE TABLE api_answer (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES account ON DELETE RESTRICT,
    key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status INTEGER NOT NULL DEFAULT 0,
    headers JSONB NOT NULL DEFAULT '{}',
    body BYTEA NOT NULL DEFAULT '',
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT api_answer_once UNIQUE (account, key)
);
CREATE INDEX api_answer_at ON api_answer (at);

-- Which runs took a machine.
CREATE INDEX ix_run_resource_server ON run_resource (reference) WHERE kind = 'server';
