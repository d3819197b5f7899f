-- Texts that virtual keys had before they were rotated, for as long as these still work.

CREATE TABLE former_key (
    key_hash       CHAR(64) NOT NULL PRIMARY KEY,
    virtual_key_id VARCHAR(64) NOT NULL,
    expires_at     BIGINT NOT NULL
);

CREATE INDEX former_key_of ON former_key (virtual_key_id);
CREATE INDEX former_key_expires ON former_key (expires_at);
