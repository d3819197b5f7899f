#!/bin/bash
# Checks that the files, links and headings that documents and comments name exist, and that no
# document names a folder of this machine.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
mapfile -t documents < <(find . -name '*.md' -not -path '*/node_modules/*' -not -path './build/*' \
  -not -path './var/*' -printf '%P\n')
((${#documents[@]} > 7)) || {
  echo "only ${#documents[@]} documents: is this the right folder?"; status=1; }

folders='src|include|tests|docs|conf|sql|examples'
# `path` in Markdown; a star, or a word in capitals, stands for any name.
while IFS=: read -r document line path; do
  path=${path//\`/}
  [ -e "$path" ] || path=$(sed -E 's/[A-Z]{3,}/*/g' <<<"$path")
  compgen -G "$path" >/dev/null || { echo "$document:$line: there is no $path"; status=1; }
done < <(grep -noHE "\`\.?/?($folders|\.ci)/[A-Za-z0-9_./*-]+\`" "${documents[@]}")

# `name` in `path`, and `path`, `name`: the file holds the name.
named() {
  grep -noHE "\`[A-Za-z_:]+\` in \`($folders)/[A-Za-z0-9_./-]+\`" "${documents[@]}" |
    sed -E 's/^([^:]+:[0-9]+):`([^`]+)` in `([^`]+)`$/\1|\3|\2/'
  grep -noHE "\`($folders)/[A-Za-z0-9_./-]+\`, \`[A-Za-z_:]+\`" "${documents[@]}" |
    sed -E 's/^([^:]+:[0-9]+):`([^`]+)`, `([^`]+)`$/\1|\2|\3/'
}
while IFS='|' read -r place path name; do
  [ ! -f "$path" ] || grep -qw -- "${name##*::}" "$path" ||
    { echo "$place: $path does not hold $name"; status=1; }
done < <(named)

# [text](target#heading), relative to the document.
anchors() { sed -nE 's/^#+ +(.*)$/\L\1/p' "$1" | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'; }
while IFS=: read -r document line link; do
  target=${link#](} target=${target%)} heading=
  case $target in http://*|https://*|mailto:*) continue;; esac
  [[ $target == *#* ]] && heading=${target#*#} target=${target%%#*}
  file=$document
  [ -z "$target" ] || file=$(dirname "$document")/$target
  [ -e "$file" ] || { echo "$document:$line: there is no $target"; status=1; continue; }
  [ -z "$heading" ] || grep -qxF "$heading" <(anchors "$file") || {
    echo "$document:$line: ${target:-$document} has no heading #$heading"; status=1; }
done < <(grep -noHE '\]\([^) ]+\)' "${documents[@]}")

# Files named in comments.
while IFS=: read -r file line path; do
  [ -e "$path" ] || { echo "$file:$line: there is no $path"; status=1; }
done < <(grep -rnoE "(^|[^A-Za-z0-9_/.])($folders)/[A-Za-z0-9_/-]+\.(md|sh|h|cpp|conf|mjs|sql)\b" \
  src include sql tests examples --include='*.cpp' --include='*.h' --include='*.sql' \
  --include='*.sh' --exclude-dir=node_modules --exclude-dir=guards |
  sed -E "s/:[^A-Za-z0-9]($folders)/:\1/")

# Sections that comments cite, as in "docs/http.md, Consent: submit".
mapfile -t sections < <(sed -nE 's/^#+ +(.*)$/\1/p' docs/http.md)
while IFS=: read -r file line cited; do
  for section in "${sections[@]}"; do [[ ${cited#*, } == "$section"* ]] && continue 2; done
  echo "$file:$line: docs/http.md has no section ${cited#*, }"; status=1
done < <(grep -rnoE 'docs/http\.md, [A-Z][A-Za-z: ]+' src include sql tests --include='*.cpp' \
  --include='*.h' --include='*.sql' --include='*.mjs' --exclude-dir=node_modules)

# The folder of this checkout, and people's homes.
grep -nF "$PWD" "${documents[@]}" &&
  { echo "a document names the folder of this checkout"; status=1; }
grep -nE '(^|[^a-z.])/(home/[a-z]+|root)/' "${documents[@]}" &&
  { echo "a document names the home of a person"; status=1; }
exit $status
