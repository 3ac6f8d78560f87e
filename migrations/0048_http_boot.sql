-- A third way that a system gets onto a machine: its UEFI firmware fetches the boot file by HTTP.
ALTER TABLE bmc
    DROP CONSTRAINT known_boot,
    ADD CONSTRAINT known_boot CHECK (boot_method IN ('network', 'virtual-media', 'http'));
