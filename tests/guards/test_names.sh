#!/bin/bash
# Checks that a unit test file is named after the file that it tests, or names it at its head.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0 seen=0
while read -r test; do
  seen=$((seen + 1))
  name=${test#tests/} name=${name%_test.cpp}
  [ -e "src/$name.cpp" ] || [ -e "include/consentgate/$name.h" ] ||
    head -n 4 "$test" | grep -qE '^// .*\b(src|include)/[a-z_/]+(\.(cpp|h))?\b' ||
    { echo "$test: there is no src/$name.cpp, and its first comment names no file"; status=1; }
done < <(find tests -name '*_test.cpp')
((seen > 40)) || { echo "only $seen tests: is this the right folder?"; status=1; }
exit $status
