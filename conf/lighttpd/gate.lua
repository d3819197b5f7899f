-- For lighttpd's mod_magnet, between the gate and the MCP server: gives the MCP server the caller's
-- facts as headers. lighttpd runs this file twice, before it asks the gate and after the gate let
-- the request pass; only the second time there are facts.
local facts = lighty.r.req_env
if facts["CONSENTGATE_SESSION"] == nil then return 0 end
local headers = lighty.r.req_header

-- The client's own headers of these names, in any spelling. Some servers read _ in a name as -.
local forged = {}
for name, _ in pairs(headers) do
  local plain = string.gsub(string.lower(name), "_", "-")
  if string.sub(plain, 1, 12) == "consentgate-" or plain == "authorization" or plain == "cookie" then
    forged[#forged + 1] = name
  end
end
for _, name in ipairs(forged) do headers[name] = nil end

for _, fact in ipairs({ "Subject", "User", "Identity", "Client", "Scope", "Session" }) do
  headers["Consentgate-" .. fact] = facts["CONSENTGATE_" .. string.upper(fact)]
end
-- The session token stays at the gate. For a resource with a service, the call carries the person's
-- own token at that service.
headers["Authorization"] = facts["CONSENTGATE_AUTHORIZATION"]
return 0
