-- The plan that a panel (SolusVM, Virtualizor) has a machine by; empty where there are none.
ALTER TABLE machine ADD COLUMN plan TEXT NOT NULL DEFAULT '';
