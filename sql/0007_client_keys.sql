-- Clients whose public keys stand at an address of theirs: jwks holds the fetched keys.

ALTER TABLE client ADD COLUMN jwks_uri BLOB;
-- Until when fetched keys need not be fetched again; NULL: nothing was fetched.
ALTER TABLE client ADD COLUMN jwks_expires_at BIGINT;
-- When they were last fetched because an assertion named another key.
ALTER TABLE client ADD COLUMN jwks_asked_at BIGINT;
