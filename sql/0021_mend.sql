-- Tokens that their service refuses before their time is over.

-- Since when the token is doubted: its service refused it. NULL: it is not.
ALTER TABLE upstream_token ADD COLUMN doubted_at BIGINT;

-- How many tokens of the account were refused within ten minutes, and since when. NULL: none.
ALTER TABLE upstream_token ADD COLUMN doubts BIGINT;
ALTER TABLE upstream_token ADD COLUMN doubts_since BIGINT;
