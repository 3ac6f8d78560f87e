-- Bash that runs in each server of a product that is installed.
ALTER TABLE product ADD COLUMN post_install TEXT NOT NULL DEFAULT '';

-- What a system that was booted over the network sees of its machine.
ALTER TABLE installation ADD COLUMN seen JSONB;
