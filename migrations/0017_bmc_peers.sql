-- What all workers must know of a BMC: what it agreed to, and whom it rejected.
CREATE TABLE bmc_peer (
    peer TEXT PRIMARY KEY,
    cipher_suite SMALLINT
);

CREATE TABLE bmc_rejection (
    id UUID PRIMARY KEY,
    peer TEXT NOT NULL,
    username TEXT NOT NULL,
    sealed_credentials BYTEA NOT NULL DEFAULT '',
    words TEXT NOT NULL,
    rejected_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX bmc_rejection_peer ON bmc_rejection (peer);

-- IPMI has no virtual media.
ALTER TABLE bmc
    ADD CONSTRAINT known_protocol CHECK (protocol IN ('redfish', 'ipmi')),
    ADD CONSTRAINT ipmi_has_no_media CHECK (protocol <> 'ipmi' OR boot_method = 'network');
