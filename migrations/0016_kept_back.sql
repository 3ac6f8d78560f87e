-- What the prefix keeps a position back for, while staff have claimed it or it cools down:
-- afterwards it is kept back, and let go meanwhile it cools down to the end.
ALTER TABLE address_claim ADD COLUMN kept_back TEXT NOT NULL DEFAULT '';

-- How much of a prefix is kept is counted with each list of prefixes.
CREATE INDEX address_reservation_prefix ON address_reservation (prefix);

-- Kept back in the middle of a cool-down that a name of the last owner prolongs.
UPDATE address_claim SET state = 'quarantined', kept_back = purpose, seq = seq + 1,
    expires_at = now()
WHERE state = 'reserved' AND reason = '' AND holder IS NULL
AND id IN (SELECT claim FROM reverse_name);

-- As before, but what is only kept back after a cool-down is nobody's in the history too.
CREATE OR REPLACE FUNCTION note_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        INSERT INTO address_event (at, kind, vrf, network, scope, position, state, holder,
            client, item, purpose, reason)
        SELECT clock_timestamp(), c.kind, p.vrf, claimed_network(c.kind, p.network, c.position),
            c.scope, c.position, c.state, c.holder, c.client, c.item, c.purpose, c.reason
        FROM fresh c LEFT JOIN prefix p ON p.id = c.scope
        WHERE c.state <> 'reserved' OR c.reason <> '' OR c.holder IS NOT NULL;
    ELSIF tg_op = 'UPDATE' THEN
        INSERT INTO address_event (at, kind, vrf, network, scope, position, state, holder,
            client, item, purpose, reason)
        SELECT clock_timestamp(), c.kind, p.vrf, claimed_network(c.kind, p.network, c.position),
            c.scope, c.position,
            CASE WHEN c.state = 'reserved' AND c.reason = '' AND c.holder IS NULL
                THEN 'free' ELSE c.state END,
            c.holder, c.client, c.item, c.purpose, c.reason
        FROM fresh c JOIN gone o ON o.id = c.id LEFT JOIN prefix p ON p.id = c.scope
        WHERE (c.state, c.holder, c.client, c.reason)
            IS DISTINCT FROM (o.state, o.holder, o.client, o.reason);
    ELSE
        INSERT INTO address_event (at, kind, vrf, network, scope, position, state, item)
        SELECT clock_timestamp(), c.kind, p.vrf, claimed_network(c.kind, p.network, c.position),
            c.scope, c.position, 'free', c.item
        FROM gone c LEFT JOIN prefix p ON p.id = c.scope
        WHERE c.state <> 'reserved' OR c.reason <> '' OR c.holder IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- What staff claimed by hand has names too, for as long as it is theirs.
CREATE OR REPLACE FUNCTION end_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reverse_name n SET hostname = NULL, state = 'pending', error = '', attempts = 0,
        seq = n.seq + 1, due_at = 'epoch'
    FROM fresh c JOIN gone o ON o.id = c.id
    WHERE n.claim = c.id AND n.hostname IS NOT NULL AND (
        NOT (c.state = 'assigned' OR c.state = 'reserved' AND c.reason <> '')
        OR (c.state, c.holder, c.client) IS DISTINCT FROM (o.state, o.holder, o.client));
    RETURN NULL;
END $$;
