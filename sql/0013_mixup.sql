-- A redirect address for each service, and linked accounts that are sealed for their owner.

-- Where the service sends people back: 'own' or 'shared'; NULL: 'shared', as all did before.
ALTER TABLE service ADD COLUMN callback VARCHAR(32);
-- A fresh id of our registration there; NULL: the first one of a service from before.
ALTER TABLE service ADD COLUMN registration_id VARCHAR(64);
-- Origins that the operator named, of endpoints elsewhere than the token endpoint; one per line.
ALTER TABLE service ADD COLUMN authorization_origins BLOB;

ALTER TABLE upstream_state ADD COLUMN callback VARCHAR(32);
ALTER TABLE upstream_state ADD COLUMN registration_id VARCHAR(64);

-- The registration that the tokens were given to; NULL: the first one, as above.
ALTER TABLE upstream_token ADD COLUMN registration_id VARCHAR(64);
-- The form of the ciphertexts; NULL: the form before, which does not hold the owner.
ALTER TABLE upstream_token ADD COLUMN seal BIGINT;
-- The owner that an ended account had: it stays sealed for that owner.
ALTER TABLE upstream_token ADD COLUMN sealed_for VARCHAR(80);
-- For the question whether a registration still has tokens.
CREATE INDEX upstream_token_service ON upstream_token (service_id);

-- Registrations that newer ones replaced, until the last token that was given to them is gone.
CREATE TABLE former_registration (
    id              VARCHAR(190) NOT NULL PRIMARY KEY,
    service_id      VARCHAR(64) NOT NULL,
    registration_id VARCHAR(64),
    client_id       BLOB NOT NULL,
    auth_method     VARCHAR(32) NOT NULL,
    client_secret   BLOB,
    key_id          VARCHAR(64) NOT NULL,
    ended_at        BIGINT NOT NULL
);

-- The permission to open accounts in the form before, while they are sealed anew.
CREATE TABLE old_seals (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL,
    key_id     VARCHAR(64) NOT NULL,
    mark       BLOB NOT NULL
);
