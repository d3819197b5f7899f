-- Groups that are asked for, and signing in on trial.

-- 1: groups that a token leaves out are asked for at Microsoft Graph; NULL or 0: they are not.
ALTER TABLE idp ADD COLUMN graph_groups SMALLINT;

-- An operator's link, where somebody signs in and sees what the provider says of them.
CREATE TABLE signin_trial (
    link_hash  CHAR(64) NOT NULL PRIMARY KEY,
    idp_id     VARCHAR(64) NOT NULL,
    opened_at  BIGINT,
    report     BLOB,
    key_id     VARCHAR(64) NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX signin_trial_expires ON signin_trial (expires_at);

-- The trial that a person signs in for; NULL: it is not one.
ALTER TABLE signin_state ADD COLUMN trial_hash CHAR(64);
