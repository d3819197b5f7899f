-- Clients that registered themselves and were never used are counted by their caller.

-- The mark of that caller until the first use; NULL: used, or registered in another way or before.
ALTER TABLE client ADD COLUMN registered_from VARCHAR(64);

CREATE INDEX client_registered_from ON client (registered_from, created_at);

-- A sweep asks for each client that has not been used for long whether a session of it is left.
CREATE INDEX session_client ON session (client_id);
