-- Identity providers say who has left: they send logouts, and answer when they are asked about
-- somebody.

-- Used logout tokens, and for how long what they ended can still be on its way in.
CREATE TABLE logout_token (
    use_hash   CHAR(64) NOT NULL PRIMARY KEY,
    used_by    VARCHAR(64) NOT NULL,
    sid_hash   CHAR(64),
    person_id  CHAR(64),
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX logout_token_sid ON logout_token (sid_hash);
CREATE INDEX logout_token_person ON logout_token (person_id);
CREATE INDEX logout_token_expires ON logout_token (expires_at);

-- For the lookup of sign-ins by the provider's `sid`; NULL: it named none.
ALTER TABLE browser_signin ADD COLUMN sid_hash CHAR(64);
-- Raised by every session that comes of the sign-in, so that its end and a new session are in each
-- other's way; NULL: none has.
ALTER TABLE browser_signin ADD COLUMN sessions BIGINT;
CREATE INDEX browser_signin_sid ON browser_signin (sid_hash);

-- A person is asked about there when that is so many seconds ago; NULL: never.
ALTER TABLE idp ADD COLUMN recheck_after BIGINT;

-- A worker asks with this: the refresh token of the person's last sign-in.
CREATE TABLE provider_grant (
    person_id     CHAR(64) NOT NULL PRIMARY KEY,
    refresh_token BLOB NOT NULL,
    key_id        VARCHAR(64) NOT NULL,
    lease         VARCHAR(64),
    lease_until   BIGINT
);
