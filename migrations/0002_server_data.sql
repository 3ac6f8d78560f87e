-- Whether a client's data may be on a server's disks: no way leads into stock until they are erased.
ALTER TABLE server ADD COLUMN may_hold_data BOOLEAN NOT NULL DEFAULT false;

UPDATE server s SET may_hold_data = true
WHERE s.state IN ('releasing', 'cleaning') OR (s.state IN ('quarantined', 'maintenance', 'failed')
    AND EXISTS (SELECT FROM installation i WHERE i.server = s.id));

ALTER TABLE server ADD CONSTRAINT stock_is_erased CHECK (state <> 'available' OR NOT may_hold_data);
