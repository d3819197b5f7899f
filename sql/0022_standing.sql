-- Why a linked account fails, and whose it is at its service.

-- Why the last refresh failed, as one word beside the words of `failure`; NULL: it did not.
ALTER TABLE upstream_token ADD COLUMN failure_cause VARCHAR(32);
-- Whose account it is at the service, where that tells: a hash of its own id for them, and the name
-- that people read. NULL: it did not tell.
ALTER TABLE upstream_token ADD COLUMN holder_hash VARCHAR(64);
ALTER TABLE upstream_token ADD COLUMN holder_name BLOB;
