#!/bin/bash
# Every script parses, says what it is, and can be started.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
while read -r script; do
  bash -n "$script" || status=1
  [ -x "$script" ] || { echo "$script cannot be started"; status=1; }
  sed -n 2p "$script" | grep -q '^# ' || { echo "$script does not say what it is on its second line"; status=1; }
done < <(find .ci examples tests -type f \( -name '*.sh' -o -path '.ci/*' \) -not -path '*/node_modules/*')
exit $status
