-- The scopes that requests to a resource need, for the gate.

-- Scopes separated by blanks; NULL: the default ones.
ALTER TABLE resource_server ADD COLUMN scope BLOB;
