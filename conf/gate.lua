-- For lighttpd's mod_magnet, after the gate has let a request pass: the server behind is told who calls, by the gate and nobody else.
local headers = lighty.r.req_header
local facts = lighty.r.req_env

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

-- Reached without the gate's yes, the modules stand in the wrong order: then nothing passes.
if facts["CONSENTGATE_SESSION"] == nil then return 403 end
return 0
