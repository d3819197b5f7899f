#!/bin/bash
# Tests the guards: plants violations in a copy of the tree and expects each guard to name them.
#
# All plants of one guard go into the copy at once, because a guard that misses one still names the
# others. Each expectation is one test, and the last line counts them. tests/check.sh runs the
# guards on the tree itself, where they must pass.
set -u
root=$(cd "$(dirname "$0")/../../.." && pwd) || exit 2
copy=$(mktemp -d) && trap 'rm -rf "$copy"' EXIT
tar -C "$root" -c --exclude=./.git --exclude=./build --exclude=./var --exclude=node_modules . |
  tar -C "$copy" -x
ln -s "$root/build" "$copy/build"
cd "$copy" || exit 2
passed=0 failed=0
declare -A planted # each file that was changed, and whether it was there before

plant() { # plant FILE TEXT: a new file, or lines at the end of the one file that is there
  mkdir -p "$(dirname "$1")"
  if [ -z "${planted[$1]:-}" ]; then
    if [ -e "$1" ]; then planted[$1]=old; cp "$1" "$copy/${1//\//_}.before"; else planted[$1]=new; fi
  fi
  printf '%b\n' "$2" >>"$1"
}

expect() { # expect GUARD [ARGUMENT…] -- WORDS…: the guard fails, and prints each of WORDS
  local guard=$1 arguments=() output file; shift
  while [ "$1" != -- ]; do arguments+=("$1"); shift; done; shift
  output=$("tests/guards/$guard.sh" "${arguments[@]}" 2>&1) && {
    echo "$guard passed in spite of what was planted"; failed=$((failed + 1)); }
  for words; do
    if grep -qF -- "$words" <<<"$output"; then passed=$((passed + 1)); continue; fi
    failed=$((failed + 1))
    echo "$guard does not say \"$words\""
  done
  for file in "${!planted[@]}"; do
    if [ "${planted[$file]}" = old ]; then mv "$copy/${file//\//_}.before" "$file"; else rm "$file"; fi
  done
  planted=()
}

repeated() { printf "$1%.0s" $(seq "$2"); }

plant docs/requirements.md '| ZZ9 | The server does what no test holds. | Ours |
| D1 | The id stands twice. | Ours |
| D900 | no sentence | |'
plant tests/core/planted_test.cpp 'BOOST_AUTO_TEST_CASE(\n    it_wraps,\n    *label("QQ7")) {}'
plant tests/store/planted_cases.cpp 'STORE_CASE(\n    a_case_that_wraps, "D1 QQ8") {}'
plant tests/store/planted_cases.cpp 'SERVER_CASE(a_case_on_one_line, "QQ5") {}'
plant tests/e2e/planted.test.mjs "  test(\`D1 QQ6 behind \${name}: a title\`, () => {});"
plant include/consentgate/core/planted.h '// spec: docs/requirements.md YY77'
plant SECURITY.md 'This is promised (K1, WW7).'
expect requirements -- 'no test holds requirement ZZ9' 'has an id twice: D1' \
  'neither a sentence nor a source: | D900' 'lacks the label QQ7 of tests/core/planted_test.cpp' \
  'lacks the label QQ8' 'lacks the label QQ5' 'lacks the label QQ6' 'has no YY77' \
  'SECURITY.md: docs/requirements.md has no WW7'

lines=$(repeated '    count += 1;\n' 59)
plant src/core/base/planted.cpp "int planted_wrapped(\n    int count) {\n$lines\n}"
plant src/core/base/planted.cpp "const std::string& planted_reference(int count) {\n$lines\n}"
plant src/core/base/planted.cpp "class Planted {\n    void planted_member() {\n$lines\n    }\n};"
plant src/core/base/planted_file.cpp "$(repeated '// a line\n' 401)"
plant src/core/base/planted_wide.h "// $(repeated x 98)"
plant tests/support/planted.sh "# $(repeated x 99)"
plant docs/planted.md "$(repeated 'word ' 21)\n| $(repeated 'a wide table ' 10) |"
plant README.md "$(repeated 'line\n' 500)"
expect sizes -- 'planted_wrapped has 62 lines' 'planted_reference has 61 lines' \
  'planted_member has 61 lines' 'planted_file.cpp has 401 lines' 'planted_wide.h:1: 101 columns' \
  'planted.sh:1: 101 columns' 'planted.md:1: 105 columns' 'README.md has'

plant src/core/base/planted.cpp '#include "consentgate/core/oauth/scope.h"'
plant src/store/planted.cpp '#include "consentgate/sys/clock.h"\n#include "../web/asset.h"'
plant src/web/planted.cpp '#include "store/database.h"'
plant src/usecase/planted.cpp '#include <netdb.h>\n#include <sqlite3.h>'
plant include/consentgate/web/planted.h '#include <Poco/URI.h>\n#include "asset.h"'
plant tests/web/planted_test.cpp '#include "store/database.h"'
expect includes -- 'core/base/planted.cpp:1: core/base may not include core/oauth' \
  'planted.cpp:1: store may not include sys' \
  'src/store/planted.cpp:2: a private header is included by its name alone' \
  'src/web/planted.cpp:1: a private header' 'only src/sys/ may include <netdb.h>' \
  'only src/store/ may include <sqlite3.h>' 'a public header may not include <Poco/URI.h>' \
  'planted.h:2: a public header includes public headers only' \
  'only the tests of store may include its private headers'

plant src/web/planted.cpp 'auto a = "SELECT 1";\nauto b = getenv("HOME");'
plant src/web/planted.cpp 'auto c = std::random_device{}();\nauto d = time(nullptr);'
plant src/usecase/planted.cpp 'Result<Flow> planted(const core::Form& form);\nconst sys::SystemClock e;'
plant tests/web/planted_test.cpp 'const pid_t f = ::fork();'
expect strays -- 'tests/web/planted_test.cpp:1:' 'src/usecase/planted.cpp:1:' 'src/usecase/planted.cpp:2:' \
  'src/web/planted.cpp:1:' 'src/web/planted.cpp:2:' 'src/web/planted.cpp:3:' 'src/web/planted.cpp:4:'

plant src/web/planted.cpp 'int  planted ;'
expect format src/web/planted.cpp -- 'src/web/planted.cpp'

plant src/web/planted.cpp '// The worker is told.\nvoid settle_planted();\nstruct PlantedRoom {};'
plant src/web/planted.cpp '// What counts is planted.\n// It counts. Who asks is known.'
plant src/web/planted.cpp '// spec: contract section 4'
plant docs/planted.md 'The heart of the planted matter.'
expect language -- 'planted.cpp:1: "told"' 'planted.cpp:2: "settle"' 'planted.cpp:3: "room"' \
  'planted.cpp:4:// What counts is planted.   <- names no actor' \
  'planted.cpp:5:// It counts. Who asks is known.   <- names no actor' \
  'planted.cpp:6:// spec: contract section 4' 'planted.md:1: "heart"'

plant docs/planted.md "\`src/planted/none.cpp\`\n[a link](none.md)"
plant docs/planted.md "[a heading](#planted-heading)\n$copy/var"
plant docs/planted.md '`planted_a` in `tests/check.sh`: `tests/check.sh`, `planted_b`'
plant src/web/planted.cpp '// The list is in docs/none.md'
plant src/web/planted.cpp '// spec: docs/http.md, Planted section'
expect documents -- 'docs/planted.md:1: there is no src/planted/none.cpp' \
  'docs/planted.md:2: there is no none.md' 'has no heading #planted-heading' \
  'names the folder of this checkout' 'tests/check.sh does not hold planted_a' \
  'tests/check.sh does not hold planted_b' 'src/web/planted.cpp:1: there is no docs/none.md' \
  'src/web/planted.cpp:2: docs/http.md has no section Planted section'

plant tests/support/planted.sh '#!/bin/bash\nunused=1'
expect shell -- 'planted.sh cannot be started' 'planted.sh does not say what it does' \
  'unused appears unused'

mv CHANGELOG.md CHANGELOG.before
plant CHANGELOG.md '# Changelog\n\n## 9.9.9 (2026-01-01)\n\n## 9.9.8 (2026-01-01)'
plant conf/package/debian/NEWS 'consentgate (9.9.7) unstable; urgency=medium'
expect versions -- 'CHANGELOG.md: its first heading is not' '> 9.9.8' 'NEWS: there is no 9.9.7'
mv CHANGELOG.before CHANGELOG.md

plant sql/9001_planted.sql 'ALTER TABLE session DROP COLUMN scope;\nDELETE FROM code;'
plant sql/9001_planted.sql 'ALTER TABLE session\n    ADD COLUMN planted BIGINT NOT NULL;'
plant sql/9001_planted.sql 'CREATE UNIQUE INDEX planted_index ON session (scope);'
plant sql/9001_planted.sql 'UPDATE session SET revoked_at = 1 WHERE revoked_at IS NULL;'
plant sql/9002_planted_stop.sql 'DROP TABLE code;'
plant sql/9003-planted.sql '-- nothing'
expect migrations -- 'could not go on after: ALTER TABLE session DROP' 'after: DELETE FROM code' \
  'after: ALTER TABLE session ADD COLUMN planted BIGINT NOT NULL' 'after: CREATE UNIQUE INDEX' \
  'after: UPDATE session SET revoked_at' 'sql/9003-planted.sql: its name'

plant conf/consentgate.conf '#planted_key = 1'
expect conf_reference -- '> planted_key = 1'

plant src/web/planted.cpp 'auto path = "/oauth/planted";'
plant conf/nginx/protect.conf '    proxy_set_header Consentgate-Planted x;'
expect web_servers -- 'conf/nginx/verified_users.conf authenticates nobody at: /oauth/planted' \
  "conf/nginx/protect.conf has not each of the gate's headers once"

plant tests/web/planted_test.cpp '// It names no file.'
expect test_names -- 'tests/web/planted_test.cpp: there is no src/web/planted.cpp'

git init -q .
commit() {
  git -c user.name=planted -c user.email=planted@localhost commit -q --allow-empty -m "$1"
}
commit 'Planted first, and exempt' && first=$(git rev-parse HEAD)
commit 'Planted: a capital' && commit 'planted words without an area'
commit "area: $(repeated x 70)" && commit 'area, other: add a good one'
expect commits "$first" -- 'does not read "area: verb …": Planted: a capital' \
  'planted words without an area' '76 characters, the limit is 72'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
