-- Claims by one statement each: for an order, and by hand for many callers.
--
-- A plan made anew for each call would cost more than the call does.

-- What one order claims, all or nothing. `got` says which were free when some were not.
CREATE FUNCTION claim_for_order(
    kinds TEXT[], scopes UUID[], positions BIGINT[], items TEXT[], purposes TEXT[], holder UUID,
    client UUID, until TIMESTAMPTZ, now TIMESTAMPTZ,
    OUT made BIGINT, OUT first BIGINT, OUT last BIGINT, OUT got_scopes UUID[],
    OUT got_positions BIGINT[]
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH written AS (
        INSERT INTO address_claim (kind, scope, position, state, holder, item, purpose, seq,
            expires_at, claimed_at, client)
        SELECT c.kind, c.scope, c.at, 'held', claim_for_order.holder, c.item, c.purpose, 1,
            until, claim_for_order.now, claim_for_order.client
        FROM unnest(kinds, scopes, positions, items, purposes)
            AS c (kind, scope, at, item, purpose)
        ORDER BY c.kind, c.scope, c.at
        ON CONFLICT DO NOTHING RETURNING id, scope, position
    )
    SELECT count(*), min(w.id), max(w.id),
        CASE WHEN count(*) < cardinality(positions) THEN array_agg(w.scope) END,
        CASE WHEN count(*) < cardinality(positions) THEN array_agg(w.position) END
    INTO made, first, last, got_scopes, got_positions FROM written w;
    IF made < cardinality(positions) THEN
        RAISE unique_violation;
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL;  -- what was written is undone, what was seen is returned
END $$;

-- Claims of the next free addresses, for many callers by one statement: one journey and one
-- commit, whoever asks. All of it is written or nothing.
--
-- Where another was first, where a prefix has become a container, or where a position has been
-- kept for somebody else meanwhile, that is a unique violation: whoever calls this has chosen by
-- what it remembers, and looks anew.
CREATE FUNCTION claim_next(
    scopes UUID[], positions BIGINT[], clients UUID[], purposes TEXT[], reasons TEXT[],
    ends TIMESTAMPTZ[], entries UUID[], actors UUID[], labels TEXT[], subjects UUID[],
    facts TEXT[], whys TEXT[], hints TEXT[], now TIMESTAMPTZ
) RETURNS TABLE (claim BIGINT, pool UUID, place BIGINT, email TEXT) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    written BIGINT;
BEGIN
    -- As everyone who makes claims (structure.py); what follows sees what was before it.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('prefixes', 0));
    -- Whoever was too late takes its turn in a prefix alone.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('by hand:' || turn.scope, 0))
    FROM (SELECT DISTINCT scope FROM unnest(scopes) AS scope ORDER BY scope) AS turn;
    RETURN QUERY INSERT INTO address_claim AS m (kind, scope, position, state, client, purpose,
        reason, seq, expires_at, claimed_at)
    SELECT CASE family(p.network) WHEN 4 THEN 'ip4' ELSE 'ip6net' END, p.id, c.at, 'reserved',
        c.client, c.purpose, c.reason, 1, c.until, claim_next.now
    FROM unnest(scopes, positions, clients, purposes, reasons, ends)
        AS c (scope, at, client, purpose, reason, until)
    JOIN prefix p ON p.id = c.scope AND p.status <> 'container'
    WHERE NOT EXISTS (
        SELECT FROM address_reservation r
        WHERE uuidrange(r.prefix, r.prefix, '[]') && uuidrange(c.scope, c.scope, '[]')
        AND int8range(r.first, r.last, '[]') @> c.at
        AND (r.expires_at IS NULL OR r.expires_at > claim_next.now)
        AND CASE WHEN r.client IS NULL THEN r.purpose <> c.purpose
            ELSE r.client IS DISTINCT FROM c.client END
    )
    ORDER BY c.scope, c.at
    ON CONFLICT DO NOTHING
    RETURNING m.id, m.scope, m.position, (SELECT a.email FROM account a WHERE a.id = m.client);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < cardinality(positions) THEN
        RAISE unique_violation USING MESSAGE = 'another was first';
    END IF;
    INSERT INTO audit_entry (id, at, actor, actor_label, action, subject_kind, subject, "after",
        reason)
    SELECT e.id, claim_next.now, e.actor, e.label, 'addresses.claim', 'prefix', e.subject,
        e.facts::jsonb, e.why
    FROM unnest(entries, actors, labels, subjects, claim_next.facts, whys)
        AS e (id, actor, label, subject, facts, why);
    PERFORM pg_notify('address_claims', hint) FROM unnest(hints) AS hint;
END $$;
