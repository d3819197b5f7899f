-- Rules of who may use what, and teams of people that the operator keeps.

CREATE TABLE access_rule (
    id          VARCHAR(64) NOT NULL PRIMARY KEY,
    rule_number BIGINT NOT NULL,
    effect      VARCHAR(32) NOT NULL,
    who         BLOB NOT NULL,
    resource    BLOB,
    scope       BLOB,
    service     BLOB,
    created_at  BIGINT NOT NULL
);

CREATE TABLE team_member (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    team       VARCHAR(64) NOT NULL,
    member     BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row, written with the first rule. Every change of rules and teams raises its version, by
-- which a worker sees that what it remembers is old.
CREATE TABLE policy_version (
    id         VARCHAR(64) NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    next_rule  BIGINT NOT NULL,
    closed     SMALLINT,
    changed_by VARCHAR(64) NOT NULL
);
