-- The tree of prefixes, reservations, the history of every address, and what audits found.
-- GiST compares ranges without an extension, and a uuid only with one.
CREATE TYPE uuidrange AS RANGE (subtype = uuid);

CREATE TABLE vrf (
    id UUID PRIMARY KEY,
    name TEXT UNIQUE NOT NULL,
    note TEXT NOT NULL DEFAULT ''
);

ALTER TABLE prefix
    DROP CONSTRAINT prefix_network_key,
    ADD COLUMN vrf UUID REFERENCES vrf ON DELETE RESTRICT,
    ADD COLUMN status TEXT NOT NULL DEFAULT 'active',
    ADD COLUMN vlan_group UUID REFERENCES vlan_group ON DELETE RESTRICT,
    ADD COLUMN vid INTEGER,
    ADD COLUMN forward_zone TEXT NOT NULL DEFAULT '',
    ADD COLUMN reverse_zone TEXT NOT NULL DEFAULT '',
    ADD CONSTRAINT prefix_once UNIQUE NULLS NOT DISTINCT ("vrf", "network"),
    ADD CONSTRAINT prefix_leaves_apart EXCLUDE USING gist (
        uuidrange(coalesce(vrf, '00000000-0000-0000-0000-000000000000'::uuid),
            coalesce(vrf, '00000000-0000-0000-0000-000000000000'::uuid), '[]') WITH &&,
        network inet_ops WITH &&
    ) WHERE (status <> 'container'),
    ADD CONSTRAINT known_status CHECK (status IN ('container', 'active', 'reserved', 'deprecated')),
    ADD CONSTRAINT vlan_of_a_group
        CHECK (vid IS NULL OR (vlan_group IS NOT NULL AND vid BETWEEN 1 AND 4094));
CREATE INDEX prefix_vrf ON prefix (vrf);
CREATE INDEX prefix_vlan_group ON prefix (vlan_group);
-- Parents and children are found by containment.
CREATE INDEX ix_prefix_tree ON prefix USING gist (network inet_ops);

ALTER TABLE address_claim
    ADD COLUMN client UUID,
    ADD COLUMN reason TEXT NOT NULL DEFAULT '';

CREATE TABLE address_reservation (
    id UUID PRIMARY KEY,
    prefix UUID NOT NULL REFERENCES prefix ON DELETE RESTRICT,
    first BIGINT NOT NULL DEFAULT 0,
    last BIGINT NOT NULL DEFAULT 0,
    client UUID REFERENCES account ON DELETE RESTRICT,
    purpose TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT reservations_apart EXCLUDE USING gist (
        uuidrange(prefix, prefix, '[]') WITH &&, int8range(first, last, '[]') WITH &&
    ),
    CONSTRAINT span CHECK (first >= 0 AND first <= last),
    CONSTRAINT for_someone CHECK (client IS NOT NULL OR purpose <> '')
);
CREATE INDEX address_reservation_client ON address_reservation (client);
CREATE INDEX address_reservation_expires_at ON address_reservation (expires_at);

CREATE TABLE address_event (
    id BIGSERIAL PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    kind TEXT NOT NULL,
    vrf UUID,
    network CIDR,
    scope UUID NOT NULL DEFAULT gen_random_uuid(),
    position BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    holder UUID,
    client UUID,
    item TEXT NOT NULL DEFAULT '',
    purpose TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX ix_address_event_network ON address_event (network, at);
CREATE INDEX ix_address_event_vlan ON address_event (scope, position, at) WHERE kind = 'vlan';
CREATE INDEX address_event_holder ON address_event (holder);
CREATE INDEX address_event_client ON address_event (client);

CREATE TABLE address_audit (
    id UUID PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    took_ms INTEGER NOT NULL DEFAULT 0,
    claims BIGINT NOT NULL DEFAULT 0,
    drifts INTEGER NOT NULL DEFAULT 0,
    found JSONB NOT NULL DEFAULT '[]'
);
CREATE INDEX address_audit_at ON address_audit (at);

-- What a claim is on: an address as a /32, a network as its /64, of a VLAN id nothing.
CREATE FUNCTION claimed_network(kind TEXT, prefix CIDR, "position" BIGINT) RETURNS CIDR
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE kind
        WHEN 'ip4' THEN set_masklen(host(prefix)::inet + "position", 32)::cidr
        WHEN 'ip6net' THEN set_masklen(host(prefix)::inet | regexp_replace(
            lpad(to_hex("position"), 16, '0'), '(....)(....)(....)(....)', '\1:\2:\3:\4::'
        )::inet, 64)::cidr
    END
$$;

-- Once a statement, whatever wrote it. The time is that of the database: rows of one address
-- are written one after another under its unique key, so their times are too. What the
-- protocol keeps (network, broadcast, gateway) is nobody's and has no history.
CREATE FUNCTION note_claims() RETURNS trigger LANGUAGE plpgsql AS $$
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
            c.scope, c.position, c.state, c.holder, c.client, c.item, c.purpose, c.reason
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
CREATE TRIGGER claims_made AFTER INSERT ON address_claim REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_claims();
CREATE TRIGGER claims_changed AFTER UPDATE ON address_claim
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_claims();
CREATE TRIGGER claims_ended AFTER DELETE ON address_claim REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_claims();

CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of addresses is only ever added to';
END $$;
CREATE TRIGGER address_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON address_event
    FOR EACH STATEMENT EXECUTE FUNCTION keep_history();

-- What is taken when the history begins has its first line in it.
INSERT INTO address_event (at, kind, network, scope, position, state, holder, client, item,
    purpose)
SELECT c.claimed_at, c.kind, claimed_network(c.kind, p.network, c.position), c.scope, c.position,
    c.state, c.holder, o.account, c.item, c.purpose
FROM address_claim c LEFT JOIN prefix p ON p.id = c.scope
LEFT JOIN client_order o ON o.id = c.holder
WHERE c.state <> 'reserved' OR c.holder IS NOT NULL;
UPDATE address_claim c SET client = o.account FROM client_order o WHERE o.id = c.holder;
