#!/bin/bash
# Checks the subject of each commit: "area: verb …", at most 72 characters.
set -u
cd "$(dirname "$0")/../.." || exit 2
first=${1:-07f8cb72cbfe5b25ee6db5e9487b135540c5485b}
git cat-file -e "$first^{commit}" 2>/dev/null || exit 0 # there is no history here
status=0
while IFS=$'\t' read -r id subject; do
  ((${#subject} <= 72)) || {
    echo "$id: ${#subject} characters, the limit is 72: $subject"; status=1; }
  grep -qE '^[a-z0-9][a-z0-9 ,/_.-]*: [a-z]' <<<"$subject" || {
    echo "$id does not read \"area: verb …\": $subject"; status=1; }
done < <(git log --no-merges --format='%h%x09%s' "$first..HEAD")
exit $status
