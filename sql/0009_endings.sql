-- Upstream tokens that are over, until their service was told (RFC 7009).

-- When it ended; NULL: it has not. It then belongs to nobody, and failures, retry_at and the lease are those of telling.
ALTER TABLE upstream_token ADD COLUMN ended_at BIGINT;

CREATE INDEX upstream_token_ended ON upstream_token (ended_at);
