#!/bin/bash
# Runs all tests: guards, the unit tests of each module, the fuzz corpora, the end-to-end tests.
# The last line counts them. Everything is built with AddressSanitizer and UBSan, the servers of the
# end-to-end tests included.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
passed=0 failed=0
logs=build/check && mkdir -p "$logs"
export UBSAN_OPTIONS=print_stacktrace=1 BOOST_TEST_CATCH_SYSTEM_ERRORS=no

count() {
  passed=$((passed + $1)) failed=$((failed + $2))
  printf '%-28s %5d passed, %d failed\n' "$3" "$1" "$2"
}

build() {
  make --no-print-directory -j"$(nproc)" asan tests >"$logs/build.log" 2>&1 && return
  grep -E 'error|Error|\*\*\*' "$logs/build.log" | head -n 20
  echo "the build failed; all of its output is in $logs/build.log"
  echo "0 passed, 1 failed"
  exit 1
}

guards() {
  local ok=0 bad=0
  for guard in tests/guards/*.sh; do
    if "$guard" >"$logs/guard.log" 2>&1; then
      ok=$((ok + 1))
    else
      bad=$((bad + 1)); echo "$guard:"; head -n 40 "$logs/guard.log"
    fi
  done
  count $ok $bad guards
  # Whether the guards see what they are for.
  tests/guards/test/plants.sh >"$logs/plants.log" 2>&1
  read -r ok _ bad _ < <(tail -n 1 "$logs/plants.log")
  [[ $ok =~ ^[0-9]+$ && $bad =~ ^[0-9]+$ ]] || { ok=0 bad=1; }
  [ "$bad" -gt 0 ] && cat "$logs/plants.log"
  count "$ok" "$bad" "planted violations"
}

# The store's tests wait for databases most of their time, so the other modules run beside them.
units() {
  local program running=
  run_unit store & running=$!
  for program in build/asan/tests/*; do
    [ -x "$program" ] && [ "${program##*/}" != store ] && run_unit "${program##*/}"
  done
  wait $running
  for program in build/asan/tests/*; do [ -x "$program" ] && count_unit "${program##*/}"; done
}

run_unit() {
  rm -f "$logs/$1.status"
  "build/asan/tests/$1" --report_level=short --log_level=test_suite --color_output=no \
    >"$logs/$1.log" 2>&1
  echo $? >"$logs/$1.status"
}

# A program that ends without its report has failed, whatever it printed before.
count_unit() {
  local name=$1 log=$logs/$1.log ok bad status
  status=$(cat "$logs/$1.status" 2>/dev/null)
  ok=$(sed -nE 's/^ *([0-9]+) test cases? out of [0-9]+ passed.*/\1/p' "$log" | tail -n 1)
  bad=$(sed -nE 's/^ *([0-9]+) test cases? out of [0-9]+ (failed|aborted).*/\1/p' "$log" |
    awk '{ n += $1 } END { print n + 0 }')
  [ "$status" != 0 ] && [ "$bad" -eq 0 ] && bad=1
  [ "$bad" -gt 0 ] && tell_failure "$log"
  count "${ok:-0}" "$bad" "$name"
}

# A sanitizer's report names the mistake and the case in its first lines; a legend ends it.
tell_failure() {
  if grep -qE 'ERROR: [A-Za-z]+Sanitizer|runtime error:' "$1"; then
    grep -E -m 1 -B 3 -A 60 'ERROR: [A-Za-z]+Sanitizer|runtime error:' "$1"
  else
    grep -vE 'Entering|Leaving' "$1" | tail -n 40
  fi
}

# Runs each fuzz target over the inputs that it was given or has found: each corpus is one test.
fuzz() {
  local ok=0 bad=0
  for target in build/asan/fuzz/*; do
    if "$target" "tests/fuzz/corpus/$(basename "$target")" >"$logs/fuzz.log" 2>&1; then
      ok=$((ok + 1))
    else
      bad=$((bad + 1)); echo "$target:"; tail -n 30 "$logs/fuzz.log"
    fi
  done
  count $ok $bad "fuzz corpora"
}

end_to_end() {
  local log=$logs/e2e.log ok bad status=0
  if ! tests/support/npm.sh >"$logs/npm.log" 2>&1; then
    tail -n 20 "$logs/npm.log"; count 0 1 "npm packages"; return
  fi
  # Some of the real clients need a newer Node.js than Debian's; the packages include it.
  local node
  node=$(ls "$PWD"/tests/e2e/node_modules/node-linux-*/bin/node 2>/dev/null | head -n 1)
  # Two files run at a time, since they wait half of theirs. A file that has not ended after 15
  # minutes is stuck.
  "${node:-node}" --test --test-concurrency=2 --test-timeout=900000 --test-reporter=tap \
    tests/e2e/*.test.mjs >"$log" 2>&1 || status=1
  # Only the leaves of the TAP tree are counted: a file is not a test.
  ok=$(grep -E '^ *ok [0-9]+ - ' "$log" | grep -vcE '# SKIP')
  bad=$(grep -cE '^ *not ok [0-9]+ - ' "$log")
  # A test that this machine cannot run states the reason, which is repeated here.
  sed -nE 's/^ *ok [0-9]+ - (.*) # SKIP/not run here: \1:/p' "$log"
  local files
  files=$(grep -cE '^ok [0-9]+ - .*\.test\.mjs' "$log") && ok=$((ok - files))
  [ $status -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
  [ "$bad" -gt 0 ] && grep -A 25 -E '^ *not ok' "$log" | head -n 200
  count "$ok" "$bad" "end to end"
}

build
guards
units
fuzz
end_to_end
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
