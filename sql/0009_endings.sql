-- Linked accounts that ended, until they are revoked at their service (RFC 7009).

-- When the account ended; NULL: it has not. An ended account has no owner, and failures, retry_at
-- and the lease are those of its revocation.
ALTER TABLE upstream_token ADD COLUMN ended_at BIGINT;

CREATE INDEX upstream_token_ended ON upstream_token (ended_at);
