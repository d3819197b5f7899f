-- Clients whose id is too long for a key, and registrations of which something was left out.

-- The client's id where it cannot be its own key: `cgd_` and its SHA-256 are the key then, here and
-- in every table that names the client. NULL: the key is the id.
ALTER TABLE client ADD COLUMN client_url BLOB;
ALTER TABLE flow ADD COLUMN client_url BLOB;
ALTER TABLE session ADD COLUMN client_url BLOB;
ALTER TABLE code ADD COLUMN client_url BLOB;

-- 1: it sent more redirect URIs than could be kept, so its requests must name one. NULL: all are
-- kept.
ALTER TABLE client ADD COLUMN dropped_redirects SMALLINT;
