#!/bin/bash
# Who may include whom. The archives prove the direction of calls; this proves the direction of includes.
set -u
cd "$(dirname "$0")/../.." || exit 2
declare -A may=(
  [core]="core"
  [store]="store core"
  [sys]="sys core"
  [usecase]="usecase store sys core"
  [web]="web usecase store sys core"
  [app]="app web usecase store sys core"
)
status=0 seen=0
for module in "${!may[@]}"; do
  while IFS=: read -r file line text; do
    seen=$((seen + 1))
    used=$(sed -E 's/.*consentgate\/([a-z]+)\/.*/\1/' <<<"$text")
    [[ " ${may[$module]} " == *" $used "* ]] || { echo "$file:$line: $module may not include $used"; status=1; }
  done < <(grep -rnE '#include "consentgate/' "src/$module" "include/consentgate/$module")
done
# Of the store, the modules to its right see the interface and its opening only; SQL sessions stay inside.
grep -rnE '#include <(Poco/Data|sqlite3)' src include --include='*' | grep -v '^src/store/' && { echo "only src/store may know a database library"; status=1; }
grep -rnE '#include <(fcgiapp|kainjow)' src include | grep -v '^src/web/' && { echo "only src/web may know FastCGI and templates"; status=1; }
((seen > 50)) || { echo "hardly any include was found: is this guard looking in the right place?"; status=1; }
exit $status
