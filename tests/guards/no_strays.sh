#!/bin/bash
# Things that have one place, and files and functions that grow too long.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
stray() { # stray WHAT PATTERN ALLOWED…: lines of code that match, outside the files allowed
  local what=$1 pattern=$2; shift 2
  local found
  found=$(grep -rnE "$pattern" src include examples --include='*.cpp' --include='*.h' | grep -vE '^[^:]+:[0-9]+: *//')
  for allowed in "$@"; do found=$(grep -v "^$allowed" <<<"$found"); done
  [ -z "$found" ] || { echo "$what:"; echo "$found"; status=1; }
}
stray "SQL outside store" '"(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA) ' src/store/
stray "HTML in code" '<(html|body|div|p|form|a|h1)[ >]' src/app/
stray "a clock beside sys/clock" 'system_clock|[^_a-zA-Z]time\(|Poco::Timestamp|Poco::DateTime' src/sys/clock.cpp src/sys/log.cpp src/app/admin.cpp
stray "randomness beside sys/random" '[^_a-z]rand\(|random_device|RAND_bytes|mt19937' src/sys/random.cpp
stray "the environment beside app" 'getenv' src/app/
stray "an engine's name outside store" 'SQLite|PostgreSQL|MariaDB' src/store/ include/consentgate/store/
stray "a secret revealed to the log" 'log_event.*reveal\(' 
stray "an unescaped template tag" '\{\{[{&]' src/web/page.cpp
grep -nE '\{\{[{&]|<script|style=|javascript:' conf/pages/*.html && { echo "pages have no scripts, inline styles or unescaped tags"; status=1; }

files=0
while read -r lines file; do
  [ "$file" = total ] && continue
  files=$((files + 1))
  ((lines <= 400)) || { echo "$file has $lines lines; 400 are the most"; status=1; }
done < <(find src include tests examples sql conf -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.sh' -o -name '*.mjs' -o -name '*.sql' -o -name '*.html' -o -name '*.css' \) \
  -not -path '*/node_modules/*' -exec wc -l {} +)
((files > 60)) || { echo "hardly any file was found: is this guard looking in the right place?"; status=1; }

# A function: from a line that ends in `{` at the left margin to the next `}` there.
awk 'FNR == 1 { start = 0 } /^[^ #\/].*\{$/ && !/^(namespace|struct|class|enum|constexpr|const|static const|extern)/ { start = FNR }
     /^}/ { if (start && FNR - start > 61) { printf "%s:%d: a function of %d lines; 60 are the most\n", FILENAME, start, FNR - start - 1; bad = 1 } start = 0 }
     END { exit bad }' $(find src examples -name '*.cpp') || status=1
exit $status
