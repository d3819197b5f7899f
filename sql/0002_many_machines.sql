-- Serving from several machines over one database server.

-- A fresh id of the request that redeemed a code, by which the request recognises its own write
-- after a lost answer to the commit.
ALTER TABLE code ADD COLUMN redemption VARCHAR(64);

-- A sweep checks for each old client whether a flow still needs it; without the index a server
-- engine would lock every flow.
CREATE INDEX flow_client ON flow (client_id);
