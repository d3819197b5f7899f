-- Refresh tokens: a session that outlives its first token.

-- Whether the client registered the refresh_token grant; NULL: it did not.
ALTER TABLE client ADD COLUMN refresh SMALLINT;

-- When the session's first token ends; NULL: with the session. A session with refresh tokens ends
-- with the last of them.
ALTER TABLE session ADD COLUMN token_expires_at BIGINT;

CREATE TABLE refresh_token (
    token_hash CHAR(64) NOT NULL PRIMARY KEY,
    session_id VARCHAR(64) NOT NULL,
    key_id     VARCHAR(64) NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE INDEX refresh_token_expires ON refresh_token (expires_at);

-- The access tokens that refreshing gave; the first of a session stands in the session.
CREATE TABLE access_token (
    token_hash CHAR(64) NOT NULL PRIMARY KEY,
    session_id VARCHAR(64) NOT NULL,
    scope      BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX access_token_expires ON access_token (expires_at);
