-- All tables of consentgate. One text for every engine: times are BIGINT seconds since the epoch
-- (UTC), ids and digests are short ASCII, everything that can be long is BLOB, yes/no is SMALLINT
-- 0/1. RECORDS.md explains each column.

CREATE TABLE client (
    id            VARCHAR(64) NOT NULL PRIMARY KEY,
    name          BLOB,
    redirect_uris BLOB NOT NULL,
    scope         BLOB,
    by_operator   SMALLINT NOT NULL,
    active        SMALLINT NOT NULL,
    metadata      BLOB NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT
);

CREATE INDEX client_created ON client (created_at);

CREATE TABLE flow (
    id             VARCHAR(64) NOT NULL PRIMARY KEY,
    client_id      VARCHAR(64) NOT NULL,
    browser_hash   CHAR(64) NOT NULL,
    redirect_uri   BLOB NOT NULL,
    state          BLOB,
    code_challenge VARCHAR(64) NOT NULL,
    scope          BLOB NOT NULL,
    resource       BLOB NOT NULL,
    identity_kind  VARCHAR(16) NOT NULL,
    identity_value BLOB,
    revision       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);

CREATE INDEX flow_expires ON flow (expires_at);

CREATE TABLE session (
    id             VARCHAR(64) NOT NULL PRIMARY KEY,
    flow_id        VARCHAR(64) NOT NULL UNIQUE,
    token_hash     CHAR(64) NOT NULL UNIQUE,
    browser_hash   CHAR(64) NOT NULL,
    client_id      VARCHAR(64) NOT NULL,
    identity_kind  VARCHAR(16) NOT NULL,
    identity_value BLOB,
    virtual_key_id VARCHAR(64),
    scope          BLOB NOT NULL,
    resource       BLOB NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    revoked_at     BIGINT
);

CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE code (
    code_hash      CHAR(64) NOT NULL PRIMARY KEY,
    session_id     VARCHAR(64) NOT NULL,
    client_id      VARCHAR(64) NOT NULL,
    redirect_uri   BLOB NOT NULL,
    code_challenge VARCHAR(64) NOT NULL,
    key_id         VARCHAR(64) NOT NULL,
    expires_at     BIGINT NOT NULL,
    redeemed_at    BIGINT
);

CREATE INDEX code_expires ON code (expires_at);

CREATE TABLE virtual_key (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    name       BLOB NOT NULL,
    key_hash   CHAR(64) NOT NULL UNIQUE,
    active     SMALLINT NOT NULL,
    services   BLOB,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);

CREATE TABLE upstream_token (
    id            VARCHAR(64) NOT NULL PRIMARY KEY,
    owner         VARCHAR(80) NOT NULL,
    service_id    VARCHAR(64) NOT NULL,
    access_token  BLOB NOT NULL,
    refresh_token BLOB,
    key_id        VARCHAR(64) NOT NULL,
    scope         BLOB,
    expires_at    BIGINT,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    UNIQUE (owner, service_id)
);

CREATE TABLE server_key (
    id          VARCHAR(64) NOT NULL PRIMARY KEY,
    fingerprint CHAR(64) NOT NULL,
    created_at  BIGINT NOT NULL
);
