#!/usr/bin/env python3
"""An MCP server that knows nothing of tokens: the gate lets a call through, and its Consentgate-*
headers say who calls. One tool, whoami, answers with the caller; another, profile, needs a scope of
its own. Streamable HTTP (MCP 2025-11-25) with plain JSON answers on a Unix socket.

    whoami_mcp.py SOCKET RESOURCE     RESOURCE is this server's public URL
"""
import json
import os
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

SOCKET, RESOURCE = sys.argv[1:]
VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
TOOLS = [
    {"name": name, "description": description, "inputSchema": SCHEMA}
    for name, description in (
        ("whoami", "Names the person and the client that call."),
        ("profile", "Adds the session and its scopes; needs the scope profile."),
    )
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def fact(self, name):
        return unquote(self.headers.get("Consentgate-" + name, ""))

    def caller(self):
        return {
            "identity": self.fact("User"),
            "identity_kind": self.fact("Identity"),
            "client_id": self.fact("Client"),
        }

    def call_tool(self, name):
        caller = self.caller()
        if name == "profile":
            caller.update(session=self.fact("Session"), scope=self.fact("Scope"))
        text = "client={client_id} identity={identity_kind}:{identity}".format(**caller)
        content = [{"type": "text", "text": text}]
        return {"content": content, "structuredContent": caller, "isError": False}

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            message = json.loads(body)
            method, params = message["method"], message.get("params", {})
        except (ValueError, RecursionError):  # RecursionError: nested too deep
            return self.send(400, failure(None, -32700, "not JSON"))
        except (KeyError, TypeError, AttributeError):
            return self.send(400, failure(None, -32600, "not a JSON-RPC request"))
        if not isinstance(params, dict):
            return self.send(400, failure(None, -32600, "params must be an object"))
        if "id" not in message:
            return self.send(202)  # a notification
        name = params.get("name") if method == "tools/call" else None
        if name == "profile" and "profile" not in self.fact("Scope").split():
            return self.send(403, {"error": "insufficient_scope"}, challenge("mcp profile"))
        if method == "initialize":
            asked = params.get("protocolVersion")
            result = {
                "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "consentgate-whoami", "version": "1.0.0"},
            }
        elif method == "ping":
            result = {}
        elif method == "tools/list":
            result = {"tools": TOOLS}
        elif name in ("whoami", "profile"):
            result = self.call_tool(name)
        elif method == "tools/call":
            return self.send(200, failure(message["id"], -32602, "there is no such tool"))
        else:
            return self.send(200, failure(message["id"], -32601, "there is no such method"))
        return self.send(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})

    def do_GET(self):  # this server starts no messages of its own
        self.send(405, {"error": "method_not_allowed"}, {"Allow": "POST"})

    do_HEAD = do_DELETE = do_GET

    def send(self, status, document=None, headers=None):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")  # for clients in a browser
        self.send_header("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self):  # for the log: a Unix socket has no client address
        return "-"


def failure(id, code, message):
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


# RFC 6750 section 3.1: the client asks the person for these scopes and calls again.
def challenge(scope):
    url = urlsplit(RESOURCE)
    metadata = f"{url.scheme}://{url.netloc}/.well-known/oauth-protected-resource{url.path}"
    error = f'error="insufficient_scope", scope="{scope}", resource_metadata="{metadata}"'
    return {"WWW-Authenticate": "Bearer " + error}


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


if os.path.exists(SOCKET):
    os.unlink(SOCKET)
Server(SOCKET, Handler).serve_forever()
