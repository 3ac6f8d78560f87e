-- Connections: the peers that flows call, known to flows by name. What may be shown is in `facts`;
-- passwords, tokens and keys are sealed together.
CREATE TABLE connection (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    facts JSONB NOT NULL,
    sealed_secrets BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT connection_name_key UNIQUE (name),
    CONSTRAINT known_kind CHECK (kind IN ('http', 'ssh', 'dns', 'chat')),
    CONSTRAINT plain_name CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$')
);
