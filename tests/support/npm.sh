#!/bin/bash
# Fetches the npm packages of the end-to-end tests, unless they are there.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../e2e"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund
