-- What the latest version of each flow listens to, and what webhooks have delivered.
CREATE TABLE flow_trigger (
    id UUID PRIMARY KEY,
    flow UUID NOT NULL REFERENCES flow ON DELETE RESTRICT,
    version UUID NOT NULL REFERENCES flow_version ON DELETE RESTRICT,
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL DEFAULT '',
    config JSONB NOT NULL DEFAULT '{}',
    next_at TIMESTAMPTZ,
    CONSTRAINT flow_trigger_once UNIQUE (flow, node)
);
CREATE INDEX flow_trigger_version ON flow_trigger (version);
CREATE INDEX flow_trigger_kind ON flow_trigger (kind);
-- One listener for a key, such as a webhook's path.
CREATE UNIQUE INDEX ix_flow_trigger_key ON flow_trigger (kind, key) WHERE key <> '';
CREATE INDEX ix_flow_trigger_next ON flow_trigger (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE hook_delivery (
    id UUID PRIMARY KEY,
    flow UUID NOT NULL REFERENCES flow ON DELETE RESTRICT,
    delivery TEXT NOT NULL DEFAULT '',
    digest BYTEA NOT NULL,
    run UUID NOT NULL REFERENCES run ON DELETE RESTRICT,
    at TIMESTAMPTZ NOT NULL
);
CREATE INDEX hook_delivery_run ON hook_delivery (run);
CREATE INDEX hook_delivery_at ON hook_delivery (at);
CREATE INDEX ix_hook_delivery_digest ON hook_delivery (flow, digest, at);
CREATE INDEX ix_hook_delivery_id ON hook_delivery (flow, delivery) WHERE delivery <> '';
