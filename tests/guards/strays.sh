#!/bin/bash
# Checks what has one place: SQL, clocks, randomness, the environment, names of engines, markup.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
stray() { # stray TITLE PATTERN ALLOWED…: lines of code that match, outside the paths allowed
  local title=$1 pattern=$2 found; shift 2
  found=$(grep -rnE "$pattern" ${within:-src include examples} --include='*.cpp' --include='*.h' |
    grep -vE '^[^:]+:[0-9]+: *//')
  for allowed in "$@"; do found=$(grep -vE "^$allowed" <<<"$found"); done
  [ -z "$found" ] || { echo "$title:"; echo "$found"; status=1; }
}
stray "SQL outside store" '"(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA) ' src/store/
stray "HTML in code" '<(html|body|div|p|form|a|h1)[ >]' src/app/
stray "a clock beside sys/clock" 'system_clock|[^_a-zA-Z]time\(|Poco::Timestamp|Poco::DateTime' \
  src/sys/clock.cpp src/sys/log.cpp src/app/admin.cpp
stray "randomness beside sys/random" '[^_a-z]rand\(|random_device|RAND_bytes|mt19937' \
  src/sys/random.cpp
stray "the environment beside app" 'getenv' src/app/
stray "an engine's name outside store" 'SQLite|PostgreSQL|MariaDB' \
  src/store/ include/consentgate/store/
stray "a log or a clock made outside app" 'sys::(Log|SystemClock)[ ({]' \
  src/app/ include/consentgate/app/ examples/
stray "a secret revealed to the log" 'log\.(event|audit)\(.*reveal\('
stray "an unescaped template tag" '\{\{[{&]' src/web/page.cpp
within='src/usecase include/consentgate/usecase' stray "a form in a use-case" '\bForm\b'
# Of a child that its test forked by itself, an exception would run the rest of the tests.
within=tests stray "a fork beside tests/support/child.h" '\bfork\(\)' tests/support/child.h \
  tests/bench/ tests/e2e/
grep -nE '\{\{[{&]|<script|style=|javascript:' conf/pages/*.html && {
  echo "pages have no scripts, inline styles or unescaped tags"; status=1; }
exit $status
