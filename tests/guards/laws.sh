#!/bin/bash
# Every requirement in tests/laws.txt is named by a test: as a label of a unit or store case, or at the head of an
# end-to-end test's title. `tests/guards/laws.sh --print` shows which tests hold which.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ -s tests/laws.txt ] || { echo "tests/laws.txt is missing"; exit 1; }

# id<TAB>file: one line for each id that a test names.
named() {
  grep -rhoE 'label\("[A-Z][0-9]+"\)' tests --include='*.cpp' --with-filename | sed -E 's/^([^:]+):label\("([A-Z][0-9]+)"\)/\2\t\1/'
  grep -rnoE 'STORE_CASE\([a-z_0-9]+, "[^"]*"' tests/store | sed -E 's/^([^:]+):[0-9]+:STORE_CASE\([a-z_0-9]+, "([^"]*)"/\2\t\1/' |
    awk -F'\t' '{ n = split($1, ids, " "); for (i = 1; i <= n; i++) print ids[i] "\t" $2 }'
  grep -noE "^test\([\`'][^:]*:" tests/e2e/*.test.mjs | sed -E "s/^([^:]+):[0-9]+:test\([\`']([^:]*):/\2\t\1/" |
    awk -F'\t' '{ n = split($1, ids, " "); for (i = 1; i <= n; i++) print ids[i] "\t" $2 }'
}
held=$(named | grep -E '^[A-Z][0-9]+	' | sort -u)
if [ "${1:-}" = --print ]; then
  while read -r id words; do
    [[ $id =~ ^[A-Z][0-9]+$ ]] && printf '%-4s %s\n     %s\n' "$id" "$words" "$(grep "^$id	" <<<"$held" | cut -f 2 | tr '\n' ' ')"
  done <tests/laws.txt
  exit 0
fi
status=0 count=0
while read -r id words; do
  [[ $id =~ ^[A-Z][0-9]+$ ]] || continue
  count=$((count + 1))
  grep -q "^$id	" <<<"$held" || { echo "no test holds $id ($words)"; status=1; }
done <tests/laws.txt
((count > 90)) || { echo "only $count requirements were found in tests/laws.txt"; status=1; }
exit $status
