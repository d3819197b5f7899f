#!/bin/bash
# Checks that each script parses, states its purpose, is executable, and satisfies shellcheck.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
mapfile -t scripts < <(find .ci conf docs examples tests -type f -not -path '*/node_modules/*' \
  \( -name '*.sh' -o -name '*.fcgi' -o -path '.ci/*' \))
((${#scripts[@]} > 15)) || {
  echo "only ${#scripts[@]} scripts: is this the right folder?"; status=1; }
for script in "${scripts[@]}"; do
  bash -n "$script" || status=1
  [ -x "$script" ] || { echo "$script cannot be started"; status=1; }
  sed -n 2p "$script" | grep -q '^# ' || {
    echo "$script does not say what it does on its second line"; status=1; }
done
# Not asked for: a space after an empty assignment (SC1007), files that a script sources (SC1091).
shellcheck --severity=warning --exclude=SC1007,SC1091 --format=gcc "${scripts[@]}" || status=1
exit $status
