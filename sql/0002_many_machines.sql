-- What it takes to serve from several machines over one database server.

-- Who redeemed a code: a fresh id of the request, by which it recognises its own work after a commit whose answer was lost.
ALTER TABLE code ADD COLUMN redemption VARCHAR(64);

-- A sweep asks for each old client whether a flow still needs it; without the index a server engine would lock every flow.
CREATE INDEX flow_client ON flow (client_id);
