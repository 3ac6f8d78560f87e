-- What an order claims is written as it is, and looked at only if that fails: a claim is seldom
-- lost, and to look for others before each row is written costs every order.
--
-- `made` is null, and nothing is written, when the space has another version than `known`, or when
-- the order has something already; neither matters where `known` is null. Where another was first,
-- `made` is 0 and `got` says which are free nevertheless. The ids from `first` to `last` are nobody
-- else's if they are one more than the rows. These come sorted, as everyone claims.
--
-- A plan that was made when there were few claims is kept while there come to be many: it goes by
-- index from the beginning.
CREATE OR REPLACE FUNCTION claim_as_known(
    known UUID, kinds TEXT[], scopes UUID[], positions BIGINT[], items TEXT[], purposes TEXT[],
    holder UUID, until TIMESTAMPTZ, now TIMESTAMPTZ,
    OUT made BIGINT, OUT first BIGINT, OUT last BIGINT, OUT got_scopes UUID[],
    OUT got_positions BIGINT[]
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('prefixes', 0));
    first := nextval('address_claim_id_seq');  -- left unused: what follows it is ours
    BEGIN
        -- A statement after the lock: it sees what was committed while that was waited for.
        INSERT INTO address_claim (kind, scope, position, state, holder, item, purpose, seq,
            expires_at, claimed_at, client)
        SELECT c.kind, c.scope, c.at, 'held', claim_as_known.holder, c.item, c.purpose, 1,
            until, claim_as_known.now,
            (SELECT o.account FROM client_order o WHERE o.id = claim_as_known.holder)
        FROM unnest(kinds, scopes, positions, items, purposes)
            AS c (kind, scope, at, item, purpose)
        WHERE known IS NULL OR (SELECT s.version FROM address_space s) = known AND NOT EXISTS (
            SELECT FROM address_claim c
            WHERE c.holder = claim_as_known.holder AND c.state IN ('held', 'assigned'));
        GET DIAGNOSTICS made = ROW_COUNT;
        last := currval('address_claim_id_seq');
    EXCEPTION WHEN unique_violation THEN
        made := 0;
        SELECT array_agg(c.scope), array_agg(c.at) INTO got_scopes, got_positions
        FROM unnest(kinds, scopes, positions) AS c (kind, scope, at)
        WHERE NOT EXISTS (
            SELECT FROM address_claim a
            WHERE (a.kind, a.scope, a.position) = (c.kind, c.scope, c.at));
        RETURN;
    END;
    IF made = 0 THEN
        made := NULL;
    END IF;
END $$;

DROP FUNCTION claim_for_order;

-- Nobody asks for the history of an order or of a client by itself.
DROP INDEX address_event_holder, address_event_client;
