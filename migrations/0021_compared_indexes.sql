-- How many processes have told what their index of free addresses says differently.
ALTER TABLE address_audit ADD COLUMN processes INTEGER NOT NULL DEFAULT 0;
