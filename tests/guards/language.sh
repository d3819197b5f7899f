#!/bin/bash
# Names and comments speak the field's language: no word of tests/guards/words.txt, no comment that opens with "What".
#
# Read are C++, scripts, SQL, pages and documents. `spec:` is the one word for a source, and cites what a reader of
# this repository can follow.
set -u
cd "$(dirname "$0")/../.." || exit 2
export LC_ALL=C
status=0
mapfile -t files < <(find src include tests examples sql conf docs .ci ./*.md Makefile -type f -not -path '*/node_modules/*' \
  -not -path '*/corpus/*' -not -name '*.json' -not -name '*.png' -not -path 'tests/guards/*')
((${#files[@]} > 400)) || { echo "hardly any file was found: is this guard looking in the right place?"; status=1; }

# One expression for all words; only the lines that match it are looked at word by word.
words=$(sed -nE 's/^([a-z_ ]+):.*/\1/p' tests/guards/words.txt | tr ' ' '\n' | sort -u)
capital() { sed -E 's/^./\U&/' <<<"$1"; }
any=$(paste -sd '|' <<<"$words") any_capital=$(capital "$words" | paste -sd '|')
part="(^|[^A-Za-z])($any)([^a-z]|$)|(^|[a-z0-9_]|[^A-Za-z])($any_capital)([^a-z]|$)"
# A reviewer sees each word once a line, with its replacement.
grep -nE "$part" "${files[@]}" | awk -v words=tests/guards/words.txt '
  BEGIN {
    while ((getline line < words) > 0) {
      if (line ~ /^#/ || line !~ /:/) continue
      head = line; sub(/:.*/, "", head); tail = line; sub(/^[^:]*: */, "", tail)
      allowed = ""; if (match(tail, /\|/)) { allowed = substr(tail, RSTART + 1); tail = substr(tail, 1, RSTART - 1) }
      n = split(head, list, " ")
      for (i = 1; i <= n; i++) { instead[list[i]] = tail; where[list[i]] = allowed }
    }
  }
  {
    split($0, field, ":"); place = field[1] ":" field[2]; text = substr($0, length(place) + 2)
    for (word in instead) {
      capital = toupper(substr(word, 1, 1)) substr(word, 2)
      if (text !~ "(^|[^A-Za-z])" word "([^a-z]|$)" && text !~ "(^|[a-z0-9_]|[^A-Za-z])" capital "([^a-z]|$)") continue
      if (where[word] != "" && field[1] ~ "^(\\./)?(" where[word] ")") continue
      print place ": \"" word "\": write " instead[word]; bad = 1
    }
  }
  END { exit bad }' || status=1

# Comments whose first word leaves out who acts: What is read counts -> The server reads ...
grep -nE '^ *(//|#|--) (What|Who|Of|Else)\b|(//|^ *#|^ *--) .*[.:] (What|Who|Of|Else) ' $(printf '%s\n' "${files[@]}" |
  grep -E '\.(cpp|h|sh|sql|mjs)$') | sed 's/$/   <- names no actor/' | grep . && status=1

grep -nE 'law:|contract,? sections?|spec: (contract|requirements? )' $(printf '%s\n' "${files[@]}" | grep -E '\.(cpp|h|sql|mjs)$') && {
  echo "a spec: line cites an RFC, an MCP page, docs/requirements.md ID or docs/http.md"; status=1; }
exit $status
