-- Bash that runs in each server of a product that is installed.
ALTER TABLE product ADD COLUMN post_install TEXT NOT NULL DEFAULT '';
