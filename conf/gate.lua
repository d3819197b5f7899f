-- For lighttpd's mod_magnet, between the gate and the server behind: tells that server who calls. lighttpd runs it twice, before
-- the gate was asked and after it let the request pass; only the second time there is something to tell.
local facts = lighty.r.req_env
if facts["CONSENTGATE_SESSION"] == nil then return 0 end
local headers = lighty.r.req_header

-- What the client sent of these names, in any spelling that a server could read as ours. Some servers read _ in a name as -.
local forged = {}
for name, _ in pairs(headers) do
  local plain = string.gsub(string.lower(name), "_", "-")
  if string.sub(plain, 1, 12) == "consentgate-" or plain == "authorization" or plain == "cookie" then forged[#forged + 1] = name end
end
for _, name in ipairs(forged) do headers[name] = nil end

for _, fact in ipairs({ "Subject", "User", "Identity", "Client", "Scope", "Session" }) do
  headers["Consentgate-" .. fact] = facts["CONSENTGATE_" .. string.upper(fact)]
end
-- The session token ended at the gate. A resource with a service goes on with the person's own token at that service.
headers["Authorization"] = facts["CONSENTGATE_AUTHORIZATION"]
return 0
