#!/bin/bash
# Checks the language of names, comments and documents: no word of tests/guards/words.txt occurs in
# them, no sentence of a comment opens with "What" or "Who", and each `spec:` can be followed.
set -u
cd "$(dirname "$0")/../.." || exit 2
export LC_ALL=C
status=0
mapfile -t files < <(find src include tests examples sql conf docs .ci ./*.md Makefile -type f \
  -not -path '*/node_modules/*' -not -path '*/corpus/*' -not -path 'tests/guards/*' \
  -not -name '*.json' -not -name '*.png' -not -name '*.properties')
((${#files[@]} > 400)) || { echo "only ${#files[@]} files: is this the right folder?"; status=1; }

# One expression for all words; only the lines that match it are looked at word by word.
words=$(sed -nE 's/^([a-z_ ]+):.*/\1/p' tests/guards/words.txt | tr ' ' '\n' | sort -u)
capital() { sed -E 's/^./\U&/' <<<"$1"; }
any=$(paste -sd '|' <<<"$words") any_capital=$(capital "$words" | paste -sd '|')
part="(^|[^A-Za-z])($any)([^a-z]|$)|(^|[^A-Z])($any_capital)([^a-z]|$)"
grep -nE "$part" "${files[@]}" | awk -v words=tests/guards/words.txt '
  BEGIN {
    while ((getline line < words) > 0) {
      if (line ~ /^#/ || line !~ /:/) continue
      head = line; sub(/:.*/, "", head); tail = line; sub(/^[^:]*: */, "", tail)
      split(tail, half, "|"); tail = half[1]; allowed = substr(line, index(line, "|") + 1)
      if (allowed == line) allowed = ""
      n = split(head, list, " ")
      for (i = 1; i <= n; i++) { instead[list[i]] = tail; where[list[i]] = allowed }
    }
  }
  {
    split($0, field, ":"); place = field[1] ":" field[2]; text = substr($0, length(place) + 2)
    gsub(/Promise\.allSettled/, "", text)
    for (word in instead) {
      capital = toupper(substr(word, 1, 1)) substr(word, 2)
      if (text !~ "(^|[^A-Za-z])" word "([^a-z]|$)" &&
          text !~ "(^|[^A-Z])" capital "([^a-z]|$)") continue
      if (where[word] != "" && field[1] ~ "^(\\./)?(" where[word] ")") continue
      print place ": \"" word "\": write " instead[word]; bad = 1
    }
  }
  END { exit bad }' || status=1

# "What is read counts" names no actor; "The server reads ..." does.
mapfile -t code < <(printf '%s\n' "${files[@]}" | grep -E '\.(cpp|h|sh|sql|mjs)$')
opening='(What|Who|Of|Else)'
grep -nE "^ *(//|#|--) $opening |(//|^ *#|^ *--) .*[.:] $opening " "${code[@]}" |
  sed 's/$/   <- names no actor/' | grep . && status=1

grep -nE 'law:|contract,? sections?|spec: (contract|requirements? )' "${code[@]}" && {
  echo "spec: cites an RFC, an MCP page, docs/requirements.md ID or docs/http.md"; status=1; }
exit $status
