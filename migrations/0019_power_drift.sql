-- Since when a server has been on against what it should be, or off; null: it is as it should be.
ALTER TABLE server ADD COLUMN power_drift_since TIMESTAMPTZ;

-- When its BMC is to be asked next, and since when and why it does not answer. Due at once by any clock.
ALTER TABLE bmc
    ADD COLUMN read_due_at TIMESTAMPTZ NOT NULL DEFAULT 'epoch',
    ADD COLUMN silent_since TIMESTAMPTZ,
    ADD COLUMN silence TEXT NOT NULL DEFAULT '';

-- What is due is looked for every other second, what differs at each look at the dashboard.
CREATE INDEX ix_bmc_due ON bmc (read_due_at);
CREATE INDEX ix_server_drift ON server (id) WHERE power_drift_since IS NOT NULL;
