-- Why a cloud itself put a node into maintenance. Empty: a person did, or it is in none.
ALTER TABLE cloud_node ADD COLUMN "fault" TEXT NOT NULL DEFAULT '';
