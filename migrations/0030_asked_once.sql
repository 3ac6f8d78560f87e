-- When a rescue or a reinstallation was asked for that has not begun to show.
ALTER TABLE service ADD COLUMN asked_at TIMESTAMPTZ;
