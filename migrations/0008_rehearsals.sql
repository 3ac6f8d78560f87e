-- What a rehearsal of a flow's document found: the latest of each content, drafts among them.
CREATE TABLE flow_rehearsal (
    id UUID PRIMARY KEY,
    flow UUID REFERENCES flow ON DELETE RESTRICT,
    content_hash TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    by UUID,
    by_label TEXT NOT NULL DEFAULT '',
    score INTEGER NOT NULL,
    report JSONB NOT NULL,
    CONSTRAINT flow_rehearsal_content_hash_key UNIQUE (content_hash),
    CONSTRAINT known_score CHECK (score BETWEEN 0 AND 100)
);
CREATE INDEX flow_rehearsal_flow ON flow_rehearsal (flow);
