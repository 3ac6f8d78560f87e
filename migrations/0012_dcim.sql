-- The datacentre whole: where racks stand and what they may carry, what fills which units, ports
-- and what is plugged into them.
CREATE TABLE room (
    id UUID PRIMARY KEY,
    datacentre UUID NOT NULL REFERENCES datacentre ON DELETE RESTRICT,
    name TEXT NOT NULL,
    CONSTRAINT room_once UNIQUE ("datacentre", "name")
);

CREATE TABLE rack_row (
    id UUID PRIMARY KEY,
    room UUID NOT NULL REFERENCES room ON DELETE RESTRICT,
    name TEXT NOT NULL,
    CONSTRAINT rack_row_once UNIQUE ("room", "name")
);

ALTER TABLE rack
    ADD COLUMN rack_row UUID REFERENCES rack_row ON DELETE RESTRICT,
    ADD COLUMN place SMALLINT NOT NULL DEFAULT 0,
    ADD COLUMN feed_a_watts INTEGER,
    ADD COLUMN feed_b_watts INTEGER,
    ADD COLUMN cooling_watts INTEGER,
    ADD COLUMN weight_kg INTEGER,
    ADD COLUMN most_of_client SMALLINT,
    ADD COLUMN note TEXT NOT NULL DEFAULT '',
    ADD CONSTRAINT rack_limits CHECK (u_height >= 1 AND power_budget_watts >= 0
        AND coalesce(feed_a_watts, 0) >= 0 AND coalesce(feed_b_watts, 0) >= 0
        AND coalesce(cooling_watts, 0) >= 0 AND coalesce(weight_kg, 0) >= 0
        AND coalesce(most_of_client, 1) >= 1);
CREATE INDEX rack_rack_row ON rack (rack_row);

ALTER TABLE server
    DROP CONSTRAINT server_u_once,
    ADD COLUMN model TEXT NOT NULL DEFAULT '',
    ADD COLUMN side TEXT NOT NULL DEFAULT 'both',
    ADD COLUMN feeds TEXT NOT NULL DEFAULT 'AB',
    ADD COLUMN weight_kg INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN raid_model TEXT NOT NULL DEFAULT '',
    ADD COLUMN warranty_ends_on DATE,
    ADD COLUMN note TEXT NOT NULL DEFAULT '',
    ADD COLUMN maintenance_ends_at TIMESTAMPTZ,
    ADD CONSTRAINT server_on_units CHECK (u_position >= 1 AND u_height >= 1),
    ADD CONSTRAINT known_side CHECK (side IN ('both', 'front', 'rear')),
    ADD CONSTRAINT known_feeds CHECK (feeds IN ('A', 'B', 'AB')),
    ADD CONSTRAINT only_maintenance_ends
        CHECK (maintenance_ends_at IS NULL OR state = 'maintenance');
CREATE INDEX server_maintenance_ends_at ON server (maintenance_ends_at);

CREATE TABLE device (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT UNIQUE NOT NULL,
    model TEXT NOT NULL DEFAULT '',
    serial TEXT NOT NULL DEFAULT '',
    rack UUID NOT NULL REFERENCES rack ON DELETE RESTRICT,
    u_position SMALLINT,
    u_height SMALLINT NOT NULL DEFAULT 1,
    side TEXT NOT NULL DEFAULT 'both',
    feeds TEXT NOT NULL DEFAULT 'AB',
    power_draw_watts INTEGER NOT NULL DEFAULT 0,
    weight_kg INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '',
    CONSTRAINT known_kind CHECK (kind IN ('switch', 'pdu', 'panel', 'other')),
    CONSTRAINT device_on_units
        CHECK ((u_position IS NULL AND u_height = 0) OR (u_position >= 1 AND u_height >= 1)),
    CONSTRAINT known_side CHECK (side IN ('both', 'front', 'rear')),
    CONSTRAINT known_feeds CHECK (feeds IN ('A', 'B', 'AB'))
);
CREATE INDEX device_rack ON device (rack);

CREATE TABLE rack_move (
    id UUID PRIMARY KEY,
    server UUID UNIQUE NOT NULL REFERENCES server ON DELETE RESTRICT,
    rack UUID NOT NULL REFERENCES rack ON DELETE RESTRICT,
    u_position SMALLINT NOT NULL DEFAULT 0,
    u_height SMALLINT NOT NULL DEFAULT 0,
    side TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX rack_move_rack ON rack_move (rack);

-- What fills which units, whatever it is: a row for each server, device and planned move, written
-- by triggers, so that no two of them can ever be in the same unit on the same side.
CREATE TABLE rack_space (
    occupant UUID PRIMARY KEY,
    rack UUID NOT NULL REFERENCES rack ON DELETE RESTRICT,
    u_position SMALLINT NOT NULL DEFAULT 0,
    u_height SMALLINT NOT NULL DEFAULT 0,
    side TEXT NOT NULL,
    CONSTRAINT rack_space_apart EXCLUDE USING gist (
        uuidrange(rack, rack, '[]') WITH &&,
        int4range(u_position, u_position + u_height) WITH &&,
        int4range(CASE side WHEN 'rear' THEN 1 ELSE 0 END,
            CASE side WHEN 'front' THEN 1 ELSE 2 END) WITH &&
    )
);
CREATE INDEX rack_space_rack ON rack_space (rack);

CREATE FUNCTION fill_rack_space() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    units SMALLINT;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM rack_space WHERE occupant = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.u_position IS NOT NULL THEN
        -- Shared with others who fill units, not with who makes the rack lower.
        SELECT u_height INTO units FROM rack WHERE id = NEW.rack FOR SHARE;
        IF NEW.u_position + NEW.u_height - 1 > units THEN
            RAISE EXCEPTION 'the rack ends at unit %', units
                USING ERRCODE = 'check_violation', CONSTRAINT = 'within_rack';
        END IF;
        INSERT INTO rack_space (occupant, rack, u_position, u_height, side)
        VALUES (NEW.id, NEW.rack, NEW.u_position, NEW.u_height, NEW.side);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER server_fills_units AFTER INSERT OR DELETE OR UPDATE OF rack, u_position, u_height, side
    ON server FOR EACH ROW EXECUTE FUNCTION fill_rack_space();
CREATE TRIGGER device_fills_units AFTER INSERT OR DELETE OR UPDATE OF rack, u_position, u_height, side
    ON device FOR EACH ROW EXECUTE FUNCTION fill_rack_space();
CREATE TRIGGER move_fills_units AFTER INSERT OR DELETE OR UPDATE OF rack, u_position, u_height, side
    ON rack_move FOR EACH ROW EXECUTE FUNCTION fill_rack_space();
INSERT INTO rack_space (occupant, rack, u_position, u_height, side)
    SELECT id, rack, u_position, u_height, side FROM server;

CREATE FUNCTION keep_rack_over_units() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rack_space WHERE rack = NEW.id
               AND u_position + u_height - 1 > NEW.u_height) THEN
        RAISE EXCEPTION 'something stands above unit %', NEW.u_height
            USING ERRCODE = 'check_violation', CONSTRAINT = 'within_rack';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rack_over_units AFTER UPDATE OF u_height ON rack
    FOR EACH ROW EXECUTE FUNCTION keep_rack_over_units();

CREATE TABLE port (
    id UUID PRIMARY KEY,
    server UUID REFERENCES server ON DELETE RESTRICT,
    device UUID REFERENCES device ON DELETE RESTRICT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    mac TEXT UNIQUE,
    speed_mbps INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT port_once UNIQUE NULLS NOT DISTINCT ("server", "device", "name"),
    CONSTRAINT port_of_one CHECK ((server IS NULL) <> (device IS NULL)),
    CONSTRAINT known_kind CHECK (kind IN ('network', 'power', 'console'))
);
CREATE INDEX port_device ON port (device);

-- Both ends in one exclusion: a port is at one end of one cable at most.
CREATE TABLE cable (
    id UUID PRIMARY KEY,
    a_port UUID NOT NULL REFERENCES port ON DELETE RESTRICT,
    b_port UUID NOT NULL REFERENCES port ON DELETE RESTRICT,
    label TEXT NOT NULL DEFAULT '',
    colour TEXT NOT NULL DEFAULT '',
    length_cm INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT one_cable_a_port EXCLUDE USING gist (
        uuidmultirange(uuidrange(a_port, a_port, '[]'), uuidrange(b_port, b_port, '[]')) WITH &&
    ),
    CONSTRAINT two_ends CHECK (a_port <> b_port)
);
CREATE INDEX cable_a_port ON cable (a_port);
CREATE INDEX cable_b_port ON cable (b_port);

CREATE TABLE hardware_report (
    id UUID PRIMARY KEY,
    server UUID UNIQUE NOT NULL REFERENCES server ON DELETE RESTRICT,
    asked_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,
    error TEXT NOT NULL DEFAULT '',
    facts JSONB NOT NULL DEFAULT '{}'
);
