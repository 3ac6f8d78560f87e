-- The PTR record of an address, and the look at an address before it is handed out.
ALTER TABLE prefix ADD COLUMN check_first BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE address_claim ADD COLUMN checked_at TIMESTAMPTZ;
-- What is assigned is in use, and by whom it should be.
UPDATE address_claim SET checked_at = claimed_at WHERE state = 'assigned';

-- A claim that has names is not deleted: its address is free when its names are gone from DNS.
CREATE TABLE reverse_name (
    address INET PRIMARY KEY,
    claim BIGINT NOT NULL REFERENCES address_claim ON DELETE RESTRICT,
    hostname TEXT,
    state TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    pushed_as TEXT NOT NULL DEFAULT '',
    seq BIGINT NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at TIMESTAMPTZ NOT NULL,
    leased_until TIMESTAMPTZ,
    changed_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT known_name_state CHECK (state IN ('pending', 'pushed', 'failed'))
);
CREATE INDEX reverse_name_claim ON reverse_name (claim);
CREATE INDEX reverse_name_due_at ON reverse_name (due_at);

-- Whatever takes an address from who had it takes its names too. They are due at once by any
-- clock.
CREATE FUNCTION end_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reverse_name n SET hostname = NULL, state = 'pending', error = '', attempts = 0,
        seq = n.seq + 1, due_at = 'epoch'
    FROM fresh c JOIN gone o ON o.id = c.id
    WHERE n.claim = c.id AND n.hostname IS NOT NULL AND (c.state <> 'assigned'
        OR (c.holder, c.client) IS DISTINCT FROM (o.holder, o.client));
    RETURN NULL;
END $$;
CREATE TRIGGER names_ended AFTER UPDATE ON address_claim
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION end_names();
