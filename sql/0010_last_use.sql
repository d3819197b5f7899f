-- When and from where a session was last used.

-- To the hour; NULL: not yet.
ALTER TABLE session ADD COLUMN last_used_at BIGINT;

-- The network that the client had then; NULL: none is known.
ALTER TABLE session ADD COLUMN last_used_from VARCHAR(64);
