-- Drafts of flows: a document as of one revision, and the gestures since, each with its inverse.
CREATE TABLE flow_draft (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    flow UUID REFERENCES flow ON DELETE RESTRICT,
    based_on UUID REFERENCES flow_version ON DELETE RESTRICT,
    document JSONB NOT NULL,
    pins JSONB NOT NULL DEFAULT '{}',
    kept_rev BIGINT NOT NULL DEFAULT 0,
    rev BIGINT NOT NULL DEFAULT 0,
    head UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    updated_by UUID,
    updated_by_name TEXT NOT NULL DEFAULT ''
);
CREATE INDEX flow_draft_flow ON flow_draft (flow);
CREATE INDEX flow_draft_based_on ON flow_draft (based_on);

-- `state`: done; undone, and may be redone; left, once something else was done after the undoing;
-- turn, for the commands that undo and redo.
CREATE TABLE flow_draft_command (
    id BIGSERIAL PRIMARY KEY,
    draft UUID NOT NULL REFERENCES flow_draft ON DELETE RESTRICT,
    rev BIGINT NOT NULL,
    command UUID NOT NULL UNIQUE,
    by UUID,
    by_name TEXT NOT NULL DEFAULT '',
    at TIMESTAMPTZ NOT NULL,
    kind TEXT NOT NULL,
    payload JSONB NOT NULL DEFAULT '{}',
    changes JSONB NOT NULL DEFAULT '[]',
    state TEXT NOT NULL DEFAULT 'done',
    reverses BIGINT,
    CONSTRAINT draft_command_once UNIQUE (draft, rev),
    CONSTRAINT known_state CHECK (state IN ('done', 'undone', 'left', 'turn'))
);
