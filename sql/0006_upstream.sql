-- Upstream services, people on the way to them, and the refreshing of linked accounts.

CREATE TABLE service (
    id                     VARCHAR(64) NOT NULL PRIMARY KEY,
    name                   BLOB NOT NULL,
    url                    BLOB NOT NULL,
    issuer                 BLOB,
    authorization_endpoint BLOB NOT NULL,
    token_endpoint         BLOB NOT NULL,
    registration_endpoint  BLOB,
    revocation_endpoint    BLOB,
    resource               BLOB,
    scope                  BLOB,
    registration           VARCHAR(16) NOT NULL,
    client_id              BLOB NOT NULL,
    auth_method            VARCHAR(32) NOT NULL,
    client_secret          BLOB,
    key_id                 VARCHAR(64) NOT NULL,
    sends_iss              SMALLINT NOT NULL,
    active                 SMALLINT NOT NULL,
    version                BIGINT NOT NULL,
    created_at             BIGINT NOT NULL
);

-- A person who was sent to a service and has not come back. One of flow_id and session_id is there.
CREATE TABLE upstream_state (
    state_hash   CHAR(64) NOT NULL PRIMARY KEY,
    browser_hash CHAR(64) NOT NULL,
    service_id   VARCHAR(64) NOT NULL,
    flow_id      VARCHAR(64),
    session_id   VARCHAR(64),
    verifier     BLOB NOT NULL,
    key_id       VARCHAR(64) NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX upstream_state_expires ON upstream_state (expires_at);
-- For the question whether this browser was sent there before and did not come back.
CREATE INDEX upstream_state_browser ON upstream_state (browser_hash);

-- Links to connect a service later that were followed, until they expire: each is good once.
CREATE TABLE used_link (
    link_hash  CHAR(64) NOT NULL PRIMARY KEY,
    used_by    VARCHAR(64) NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX used_link_expires ON used_link (expires_at);

-- The worker that is refreshing the account, and until when no other worker may.
ALTER TABLE upstream_token ADD COLUMN lease VARCHAR(64);
ALTER TABLE upstream_token ADD COLUMN lease_until BIGINT;
-- Refreshes that failed one after another, when the next may be tried, and since when the person
-- must connect anew.
ALTER TABLE upstream_token ADD COLUMN failures BIGINT;
ALTER TABLE upstream_token ADD COLUMN retry_at BIGINT;
ALTER TABLE upstream_token ADD COLUMN broken_at BIGINT;
ALTER TABLE upstream_token ADD COLUMN last_used_at BIGINT;

CREATE INDEX upstream_token_key ON upstream_token (key_id);

-- The services whose tokens a resource server may fetch for its callers; NULL: none.
ALTER TABLE resource_server ADD COLUMN services BLOB;

-- The state of a server key. NULL: it is or was used. 'known': servers have it, and nothing is
-- written with it yet. 'removed': nothing needs it any more.
ALTER TABLE server_key ADD COLUMN state VARCHAR(16);
