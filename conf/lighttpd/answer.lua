-- For lighttpd's mod_magnet, before an answer of the MCP server goes to the client. One that works
-- with people's accounts at a service may answer with the service's challenge, which would lead
-- clients to sign in there. A 401 gets the gate's own in its place, and a 403 for want of rights at
-- the service none. Without such an account every challenge stays, and so does any other answer.
local facts = lighty.r.req_env
local headers = lighty.r.resp_header
local status = lighty.r.req_item.http_status

local ours = facts["CONSENTGATE_AGAIN"]
local theirs = headers["WWW-Authenticate"]
if ours == nil then return 0 end
if theirs ~= nil then facts["CONSENTGATE_THEIRS"] = theirs end -- for the log
if status == 401 then
  headers["WWW-Authenticate"] = ours
  headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, Mcp-Session-Id"
elseif status == 403 and theirs ~= nil and string.find(theirs, "insufficient_scope", 1, true) then
  headers["WWW-Authenticate"] = nil
end
return 0
