-- Clients whose id is the URL of a document about them.

-- Such an id is longer than the ids that we make.
ALTER TABLE client ALTER COLUMN id TYPE VARCHAR(190);
ALTER TABLE flow ALTER COLUMN client_id TYPE VARCHAR(190);
ALTER TABLE session ALTER COLUMN client_id TYPE VARCHAR(190);
ALTER TABLE code ALTER COLUMN client_id TYPE VARCHAR(190);

-- Until when the document need not be fetched again. Only a client with a row here may be changed
-- by a document.
CREATE TABLE client_document (
    id         VARCHAR(190) NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX client_document_expires ON client_document (expires_at);
