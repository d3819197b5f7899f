-- For the demo's mod_magnet: answers whoever typed localhost. A client compares the address that it
-- was given with what the server calls itself, and ends with an error that names no cure; a token
-- for one name is not good at the other. So a browser is sent on, and a client gets a sentence that
-- it shows to the person.
local r = lighty.r
local method, target = r.req_attr["request.method"], r.req_attr["request.orig-uri"]
local port = string.match(r.req_header["Host"], ":%d+$") or ""
local here = "http://127.0.0.1" .. port
local headers = r.resp_header

if (method == "GET" or method == "HEAD") and not string.find(target, "^/mcp") then
  headers["Location"] = here .. target
  return 302
end
headers["Access-Control-Allow-Origin"] = "*" -- programs in a browser may read the sentence
if method == "OPTIONS" then
  headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE, OPTIONS"
  headers["Access-Control-Allow-Headers"] = r.req_header["Access-Control-Request-Headers"]
  return 204
end
headers["Content-Type"] = "application/json"
r.resp_body:set({
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"This server is called ', here,
  '/mcp. Type that address: 127.0.0.1 in place of localhost."}}\n',
})
return 421
