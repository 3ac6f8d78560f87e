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
-- A plan made anew for each call costs more than the call.
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
