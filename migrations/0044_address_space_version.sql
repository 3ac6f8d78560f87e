-- Orders are claimed for by what a process remembers of the pools. The space has a new version
-- whenever anything changes that pools are made of, committed with the change itself.
CREATE TABLE address_space (
    "id" BOOLEAN PRIMARY KEY NOT NULL DEFAULT true,
    "version" UUID NOT NULL,
    CONSTRAINT address_space_is_one CHECK (id)
);
INSERT INTO address_space (version) VALUES (gen_random_uuid());

CREATE FUNCTION change_address_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE address_space SET version = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER space_has_prefixes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON prefix
    FOR EACH STATEMENT EXECUTE FUNCTION change_address_space();
CREATE TRIGGER space_has_vlans AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON vlan_group
    FOR EACH STATEMENT EXECUTE FUNCTION change_address_space();
CREATE TRIGGER space_has_kept AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON address_reservation
    FOR EACH STATEMENT EXECUTE FUNCTION change_address_space();
-- A place is renamed with all that is there; a new one has no pools yet.
CREATE TRIGGER space_has_datacentres AFTER UPDATE OF code ON datacentre
    FOR EACH STATEMENT EXECUTE FUNCTION change_address_space();
CREATE TRIGGER space_has_racks AFTER UPDATE OF name ON rack
    FOR EACH STATEMENT EXECUTE FUNCTION change_address_space();

-- All that an order claims, in one journey: the lock of the tree, whether what was chosen by is
-- still so, whose the order is, and the rows. `made` is null, and nothing is written, when the
-- space has another version than `known`, or when the order has something already.
CREATE FUNCTION claim_as_known(
    known UUID, kinds TEXT[], scopes UUID[], positions BIGINT[], items TEXT[], purposes TEXT[],
    holder UUID, until TIMESTAMPTZ, now TIMESTAMPTZ,
    OUT made BIGINT, OUT first BIGINT, OUT last BIGINT, OUT got_scopes UUID[],
    OUT got_positions BIGINT[]
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    is_so BOOLEAN;
    client UUID;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('prefixes', 0));
    -- A statement of its own: it sees what was committed while the lock was waited for.
    SELECT s.version = known AND NOT EXISTS (
            SELECT FROM address_claim c
            WHERE c.holder = claim_as_known.holder AND c.state IN ('held', 'assigned')),
        (SELECT o.account FROM client_order o WHERE o.id = claim_as_known.holder)
    INTO is_so, client FROM address_space s;
    IF is_so THEN
        SELECT w.made, w.first, w.last, w.got_scopes, w.got_positions
        INTO made, first, last, got_scopes, got_positions
        FROM claim_for_order(kinds, scopes, positions, items, purposes, holder, client, until,
            now) w;
    END IF;
END $$;

-- Most claims are for good.
DROP INDEX address_claim_expires_at;
CREATE INDEX ix_address_claim_expires_at ON address_claim (expires_at) WHERE expires_at IS NOT NULL;
