-- Whether the ISO that a machine was installed from is in its drive.
ALTER TABLE machine ADD COLUMN is_iso_in BOOLEAN NOT NULL DEFAULT false;
