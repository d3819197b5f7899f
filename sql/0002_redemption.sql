-- Who redeemed a code: a fresh id of the request, by which it recognises its own work after a commit whose answer was lost.

ALTER TABLE code ADD COLUMN redemption VARCHAR(64);
