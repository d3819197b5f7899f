-- For lighttpd's mod_magnet, between the gate and the MCP server: gives the MCP server the caller's
-- facts as headers. lighttpd runs this file twice, before it asks the gate and after the gate let
-- the request pass; only the second time there are facts.
local facts = lighty.r.req_env
local headers = lighty.r.req_header

-- Takes out the client's own headers that are `foreign`. CGI and its like, lighttpd too, read every
-- sign but a letter or digit as _, so `plain` is the name as all of them understand it.
local function take_out(foreign)
  local found = {}
  for name, _ in pairs(headers) do
    local lower = string.lower(name)
    local plain = string.gsub(lower, "[^%w]", "-")
    if foreign(plain, lower) then found[#found + 1] = name end
  end
  for _, name in ipairs(found) do headers[name] = nil end
end

-- Other spellings of a name that means something to the gate or to an MCP server.
take_out(function(plain, lower)
  local ours = string.find(plain, "^consentgate%-") or string.find(plain, "^mcp%-")
  return ours and plain ~= lower
end)

if facts["CONSENTGATE_ASKED"] == nil then
  facts["CONSENTGATE_ASKED"] = "1"
  -- The longest answer of the gate that lighttpd takes (64 KiB), less what is not the token's.
  facts["CONSENTGATE_LINE_LIMIT"] = "60000"
  return 0
end
-- lighttpd takes an empty answer for a yes.
if facts["CONSENTGATE_PASSED"] == nil then
  print("consentgate: the gate let a request pass without saying so; refused")
  return 503
end

take_out(function(plain)
  return string.find(plain, "^consentgate%-") or plain == "authorization" or plain == "cookie"
end)
-- Each is sent even when the gate has nothing to say, so that nothing of a client's can stand in
-- its place; lighttpd sends no header without a value, and a blank is read as none.
for _, fact in ipairs({ "Subject", "User", "Identity", "Client", "Scope", "Session", "Email", "Groups", "Groups-Omitted", "Provider", "Assertion" }) do
  local variable = string.gsub(string.upper(fact), "-", "_")
  headers["Consentgate-" .. fact] = facts["CONSENTGATE_" .. variable] or " "
end
-- The session token stays at the gate. For a resource with a service, the call carries the person's
-- own token at that service.
headers["Authorization"] = facts["CONSENTGATE_AUTHORIZATION"]
-- A service where people have a plain API key: the gate names the header that carries it.
local key_header = facts["CONSENTGATE_KEY_HEADER"]
if key_header then
  local plain_key_header = string.gsub(string.lower(key_header), "[^%w]", "-")
  take_out(function(plain) return plain == plain_key_header end)
  headers[key_header] = facts["CONSENTGATE_KEY"]
end
return 0
