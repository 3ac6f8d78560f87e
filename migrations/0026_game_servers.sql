-- Products whose servers are made at a panel of game servers, or by a flow alone; at most one kind.
ALTER TABLE product
    ADD COLUMN game_rules JSONB,
    ADD COLUMN custom_rules JSONB,
    ADD CONSTRAINT one_kind CHECK (num_nonnulls(machine_rules, game_rules, custom_rules) <= 1);

ALTER TABLE connection DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind
    CHECK (kind IN ('http', 'ssh', 'dns', 'chat', 'hypervisor', 'metal', 'game'));

ALTER TABLE credential DROP CONSTRAINT known_kind, ADD CONSTRAINT known_kind
    CHECK (kind IN ('root_password', 'panel_password', 'panel_user', 'ssh_keys'));

-- The game server of a service: at which panel it was planned, of what, and what is known of it.
CREATE TABLE game_server (
    id UUID PRIMARY KEY,
    service UUID NOT NULL UNIQUE REFERENCES service (id) ON DELETE RESTRICT,
    connection TEXT NOT NULL,
    datacentre TEXT NOT NULL DEFAULT '',
    made_of JSONB NOT NULL,
    number TEXT NOT NULL DEFAULT '',
    node TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    username TEXT NOT NULL DEFAULT '',
    panel_url TEXT NOT NULL DEFAULT '',
    planned_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ,
    made_at TIMESTAMPTZ,
    removed_at TIMESTAMPTZ
);
CREATE INDEX game_server_connection ON game_server (connection);

-- The user that an account gets at a panel: its password is made once for all its servers.
CREATE TABLE game_user (
    id UUID PRIMARY KEY,
    connection TEXT NOT NULL,
    account UUID NOT NULL REFERENCES account (id) ON DELETE RESTRICT,
    sealed_password BYTEA NOT NULL,
    told_by UUID REFERENCES service (id) ON DELETE RESTRICT,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT game_user_once UNIQUE (connection, account)
);
CREATE INDEX game_user_account ON game_user (account);
CREATE INDEX game_user_told_by ON game_user (told_by);

-- What the nodes of a panel had left when it was last asked.
CREATE TABLE game_room (
    id UUID PRIMARY KEY,
    connection TEXT NOT NULL,
    node TEXT NOT NULL,
    location TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    free_memory_mb INTEGER,
    free_disk_mb INTEGER,
    free_ports INTEGER NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT game_room_once UNIQUE (connection, node)
);
