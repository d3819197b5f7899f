-- Some words of a service, about us and about a person's token, are believed only when they come
-- again.

-- Since when it says that it does not know our client of now; NULL: it knows it.
ALTER TABLE service ADD COLUMN client_refused_at BIGINT;
-- Not to be registered with anew before; NULL: at any time.
ALTER TABLE service ADD COLUMN register_after BIGINT;
-- 1: its token endpoint refuses `resource`, and is not sent it; NULL: 0.
ALTER TABLE service ADD COLUMN resource_refused SMALLINT;

-- When the service had confirmed that it does not know this client any more; NULL: it did not.
ALTER TABLE former_registration ADD COLUMN refused_at BIGINT;

-- Refusals of the refresh token, one after another, in words that nobody knows, and the time of the
-- first; NULL: none.
ALTER TABLE upstream_token ADD COLUMN odd_refusals BIGINT;
ALTER TABLE upstream_token ADD COLUMN odd_since BIGINT;
