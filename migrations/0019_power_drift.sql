-- Since when a server has been on against what it should be, or off; null: it is as it should be.
ALTER TABLE server ADD COLUMN power_drift_since TIMESTAMPTZ;

-- When its BMC is to be asked next, and since when and why it does not answer. Due at once by any clock.
ALTER TABLE bmc
    ADD COLUMN read_due_at TIMESTAMPTZ NOT NULL DEFAULT 'epoch',
    ADD COLUMN silent_since TIMESTAMPTZ,
    ADD COLUMN silence TEXT NOT NULL DEFAULT '';
