-- People who sign in at an identity provider, their browsers on the way there and back, and the
-- proof that a browser has of its person.

CREATE TABLE person (
    id               CHAR(64) NOT NULL PRIMARY KEY,
    idp_id           VARCHAR(64) NOT NULL,
    issuer           BLOB NOT NULL,
    subject          BLOB NOT NULL,
    name             BLOB NOT NULL,
    email            BLOB,
    group_names      BLOB,
    groups_known     SMALLINT NOT NULL,
    claims           BLOB,
    first_signin_at  BIGINT NOT NULL,
    last_signin_at   BIGINT NOT NULL,
    checked_at       BIGINT NOT NULL,
    snapshot_at      BIGINT NOT NULL,
    disabled_at      BIGINT,
    version          BIGINT NOT NULL
);

CREATE INDEX person_idp ON person (idp_id);

CREATE TABLE signin_state (
    state_hash   CHAR(64) NOT NULL PRIMARY KEY,
    browser_hash CHAR(64) NOT NULL,
    idp_id       VARCHAR(64) NOT NULL,
    idp_version  BIGINT NOT NULL,
    flow_id      VARCHAR(64),
    nonce_hash   CHAR(64) NOT NULL,
    verifier     BLOB NOT NULL,
    key_id       VARCHAR(64) NOT NULL,
    max_age      BIGINT,
    acr          BLOB,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX signin_state_browser ON signin_state (browser_hash);
CREATE INDEX signin_state_expires ON signin_state (expires_at);

CREATE TABLE browser_signin (
    id               VARCHAR(64) NOT NULL PRIMARY KEY,
    cookie_hash      CHAR(64) NOT NULL UNIQUE,
    person_id        CHAR(64) NOT NULL,
    idp_id           VARCHAR(64) NOT NULL,
    provider_session BLOB,
    auth_time        BIGINT,
    acr              BLOB,
    signed_in_at     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    ended_at         BIGINT,
    ended_by         VARCHAR(32)
);

CREATE INDEX browser_signin_person ON browser_signin (person_id);
CREATE INDEX browser_signin_expires ON browser_signin (expires_at);

-- The person of a session and the sign-in it came of; NULL: nobody signed in at a provider.
ALTER TABLE session ADD COLUMN person_id CHAR(64);
ALTER TABLE session ADD COLUMN signin_id VARCHAR(64);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_signin ON session (signin_id);

-- The app's wish about the person's proof (OpenID Connect Core 3.1.2.1); NULL: none.
ALTER TABLE flow ADD COLUMN wanted_prompt VARCHAR(32);
ALTER TABLE flow ADD COLUMN wanted_max_age BIGINT;
