-- How the disks of a product's servers may be divided; the first is the usual one.
ALTER TABLE product ADD COLUMN disk_layouts JSONB NOT NULL DEFAULT '[]';
