-- Whose make a BMC is, and whether its machine's serial line can be opened, as it said itself; asked
-- at once, and then once a day.
ALTER TABLE bmc
    ADD COLUMN vendor TEXT NOT NULL DEFAULT '',
    ADD COLUMN serial TEXT NOT NULL DEFAULT 'unknown',
    ADD COLUMN access_due_at TIMESTAMPTZ NOT NULL DEFAULT 'epoch',
    ADD CONSTRAINT known_vendor CHECK (vendor IN ('', 'dell', 'hpe', 'supermicro', 'lenovo', 'generic')),
    ADD CONSTRAINT known_serial CHECK (serial IN ('unknown', 'none', 'off', 'command-line', 'open'));

-- The key that its SSH server showed first, and since when a console of ours may still be active there.
ALTER TABLE bmc_peer
    ADD COLUMN ssh_host_key TEXT NOT NULL DEFAULT '',
    ADD COLUMN serial_left_at TIMESTAMPTZ;

-- The power that a person took for right, until its service changes or it is as that says again.
ALTER TABLE server
    ADD COLUMN power_taken TEXT,
    ADD CONSTRAINT known_power_taken CHECK (power_taken IN ('on', 'off'));
