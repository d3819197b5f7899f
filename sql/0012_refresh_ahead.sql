-- Refreshing ahead of need, pauses, and where the endpoints of a service may be.

-- Accounts whose tokens end soon, for the idle workers that refresh them.
CREATE INDEX upstream_token_expires ON upstream_token (expires_at);

-- Why the last refresh failed, for those who waited for it.
ALTER TABLE upstream_token ADD COLUMN failure VARCHAR(128);

-- 1: the operator typed the endpoints, so they may be anywhere. 0: the service named them. Before
-- this column nobody noted it; a service that an operator entered by hand never registers us and
-- has announced nothing.
ALTER TABLE service ADD COLUMN by_hand SMALLINT;
UPDATE service SET by_hand = 1 WHERE by_hand IS NULL AND registration = 'given' AND registration_endpoint IS NULL AND sends_iss = 0;
