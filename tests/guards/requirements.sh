#!/bin/bash
# Compares docs/requirements*.md with the labels of the tests; --print lists the tests of each id.
#
# A requirement is a row "| R31 | sentence | source |". A test names ids as labels of a unit test,
# in the second argument of a store case, or at the head of an end-to-end test's title. Each id of
# one side must occur on the other.
set -u
cd "$(dirname "$0")/../.." || exit 2
document=docs/requirements.md
[ -s $document ] || { echo "$document is missing"; exit 1; }

rows() { grep -hE '^\| [A-Z]+[0-9]+ \|' docs/requirements*.md; }

# "label<TAB>file", one line for each label. awk reads whole files: a declaration may span lines.
labels() {
  find tests -name '*.cpp' -print0 | xargs -0 awk '
    FNR == 1 { read_labels(); text = ""; file = FILENAME }
    { text = text $0 "\n" }
    END { read_labels() }
    function read_labels(   rest, found, ids, n, i, store) {
      for (rest = text; match(rest, /label\("[^"]*"\)/); rest = substr(rest, RSTART + RLENGTH))
        print substr(rest, RSTART + 7, RLENGTH - 9) "\t" file
      store = "(STORE|SERVER)_CASE\\([ \n]*[a-z_0-9]+,[ \n]*\"[^\"]*\""
      for (rest = text; match(rest, store); rest = substr(rest, RSTART + RLENGTH)) {
        found = substr(rest, RSTART, RLENGTH); sub(/^[^"]*"/, "", found); sub(/"$/, "", found)
        n = split(found, ids, " "); for (i = 1; i <= n; i++) print ids[i] "\t" file
      }
    }'
  grep -HoE "^ *(test|on)\([\`'][^:]*:" tests/e2e/*.test.mjs |
    sed -E "s/^([^:]+): *(test|on)\([\`'](.*):/\1\t\3/; s/ (behind|\().*//" |
    awk -F'\t' '{ n = split($2, ids, " "); for (i = 1; i <= n; i++) print ids[i] "\t" $1 }'
}

held=$(labels | sort -u)
if [ "${1:-}" = --print ]; then
  while IFS='|' read -r _ id sentence _; do
    id=${id// /} tests=$(grep "^${id// /}	" <<<"$held" | cut -f 2 | tr '\n' ' ')
    printf '%-5s%s\n     %s\n' "$id" "$sentence" "$tests"
  done < <(rows)
  exit 0
fi

status=0
report() { while read -r line; do [ -n "$line" ] && { echo "$line"; status=1; }; done; }
written=$(rows | cut -d '|' -f 2 | tr -d ' ')
used=$(cut -f 1 <<<"$held" | sort -u)
report < <(sort <<<"$written" | uniq -d | sed "s|^|$document has an id twice: |")
report < <(comm -23 <(sort -u <<<"$written") <(echo "$used") |
  sed 's/^/no test holds requirement /')
report < <(comm -13 <(sort -u <<<"$written") <(echo "$used") | while read -r id; do
  echo "$document lacks the label $id of $(grep "^$id	" <<<"$held" | cut -f 2 | head -n 1)"; done)
report < <(rows | grep -vE '^\| [A-Z]+[0-9]+ \| [^|]*[.)] \| [^|]+ \|$' |
  sed 's/^/neither a sentence nor a source: /')
# Comments that cite an id cite one of ours.
report < <(grep -rnoE '(requirements?|requirements\.md) [A-Z]+[0-9]+(-[A-Z]+[0-9]+)?' \
  src include sql conf examples tests docs README.md --include='*.cpp' --include='*.h' \
  --include='*.sql' --include='*.mjs' --include='*.md' --exclude-dir=node_modules |
  while IFS=: read -r file line cited; do
    for id in $(grep -oE '[A-Z]+[0-9]+' <<<"$cited"); do
      grep -qx "$id" <<<"$written" || echo "$file:$line: $document has no $id"
    done
  done)
# Each promise of SECURITY.md names what holds it.
report < <(grep -oE '\b[A-Z]+[0-9]+\b' SECURITY.md | sort -u | comm -23 - <(sort -u <<<"$written") |
  sed "s|^|SECURITY.md: $document has no |")
(($(wc -w <<<"$written") > 200)) || { echo "hardly any requirement is in $document"; status=1; }
exit $status
