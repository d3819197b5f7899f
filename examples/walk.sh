#!/bin/bash
# Walks through a whole sign-in with curl, as an MCP client and a browser do, and prints each step.
#   PORT  where the demo listens (8080)
set -eu
BASE=http://127.0.0.1:${PORT:-8080}
API=$BASE/api/oauth/per-user
REDIRECT=http://127.0.0.1:53111/callback
jar=$(mktemp) && trap 'rm -f "$jar"' EXIT
step() { printf '\n== %s\n' "$1"; }
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; } # a text member of a flat JSON object
location() { tr -d '\r' | sed -n 's/^[Ll]ocation: //p'; }
parameter() { sed -n "s/.*[?&]$1=\([^&]*\).*/\1/p"; }
post() { curl -s -b "$jar" -D - -o /dev/null -d "$2" ${3:+-d "$3"} "$API/consent/$1" | location; }
json() { curl -s -H 'Content-Type: application/json' "$@"; }
base64url() { openssl base64 | tr '+/' '-_' | tr -d '=\n'; }

step "The gate refuses a call without a token and says where to sign in"
curl -s -D - -o /dev/null -d "{}" "$BASE/mcp" | grep -i '^www-authenticate'

step "The client registers itself"
client=$(json "$API/register" -d '{"client_name":"walk.sh","redirect_uris":["'$REDIRECT'"],
  "token_endpoint_auth_method":"none"}' | member client_id)
echo "client_id: $client"

step "It sends the browser to authorize, which starts a flow and sets the browser's cookie"
verifier=$(openssl rand 48 | base64url)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64url)
page=$(curl -s -c "$jar" -D - -o /dev/null -G "$API/authorize" -d response_type=code \
  -d "client_id=$client" --data-urlencode "redirect_uri=$REDIRECT" -d "code_challenge=$challenge" \
  -d code_challenge_method=S256 -d state=xyzzy --data-urlencode "resource=$BASE/mcp" | location)
flow=$(echo "$page" | parameter flow_id)
echo "$page"

step "The person says who they are"
post user-id "flow_id=$flow" "user_id=anna"

step "and presses Finish: one transaction, then back to the client with a code"
back=$(post submit "flow_id=$flow")
echo "$back"

step "The client redeems the code"
code=$(echo "$back" | parameter code)
token=$(curl -s -d grant_type=authorization_code -d "client_id=$client" -d "code=$code" \
  -d "code_verifier=$verifier" "$API/token" | member access_token)
echo "access_token: ${token:0:8}…"

step "and calls the MCP server's tool: the gate lets the call pass and says who calls"
accept='Accept: application/json, text/event-stream'
json -H "Authorization: Bearer $token" -H "$accept" "$BASE/mcp" \
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}'
echo
