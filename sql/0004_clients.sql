-- Clients that have a secret or a key of their own, and the resource servers that may ask about
-- tokens.

-- How the client authenticates, in the words of RFC 7591; NULL: not at all.
ALTER TABLE client ADD COLUMN auth_method VARCHAR(32);
ALTER TABLE client ADD COLUMN secret_hash CHAR(64);
ALTER TABLE client ADD COLUMN jwks BLOB;

-- The client's state, so that the browser that finished a consent can be redirected once more.
ALTER TABLE code ADD COLUMN state BLOB;

-- The consents that a browser gave, and where the code of each went.
ALTER TABLE session ADD COLUMN redirect_uri BLOB;
CREATE INDEX session_browser ON session (browser_hash);

-- Assertions that were used, until they expire: each is good once.
CREATE TABLE client_assertion (
    assertion_hash CHAR(64) NOT NULL PRIMARY KEY,
    used_by        VARCHAR(64) NOT NULL,
    expires_at     BIGINT NOT NULL
);

CREATE INDEX client_assertion_expires ON client_assertion (expires_at);

CREATE TABLE resource_server (
    id          VARCHAR(64) NOT NULL PRIMARY KEY,
    resource    BLOB NOT NULL,
    secret_hash CHAR(64) NOT NULL,
    active      SMALLINT NOT NULL,
    created_at  BIGINT NOT NULL
);
