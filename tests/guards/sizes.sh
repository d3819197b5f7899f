#!/bin/bash
# Checks sizes: 400 lines in a file, 60 in a function, 130 in README.md, and 100 columns.
#
# Universal Ctags measures functions: it knows wrapped signatures, members in classes and lambdas.
# Statements in shell and JavaScript, and tables, links and code in Markdown, may be wider.
set -u
cd "$(dirname "$0")/../.." || exit 2
export LC_ALL=C.UTF-8
status=0
sources() {
  find src include tests examples sql conf docs -type f -not -path '*/node_modules/*' \( "$@" \)
}
report() { while read -r line; do echo "$line"; status=1; done; }

files=0
while read -r lines file; do
  [ "$file" = total ] && continue
  files=$((files + 1))
  ((lines <= 400)) || { echo "$file has $lines lines; the limit is 400"; status=1; }
done < <(sources -name '*.cpp' -o -name '*.h' -o -name '*.sh' -o -name '*.mjs' -o -name '*.sql' \
  -o -name '*.html' -o -name '*.css' -o -name '*.md' | xargs wc -l)
((files > 300)) || { echo "only $files files: is this the right folder?"; status=1; }
lines=$(wc -l <README.md)
((lines <= 130)) || { echo "README.md has $lines lines; the limit is 130"; status=1; }

functions=0
while IFS=$'\t' read -r name file lines; do
  functions=$((functions + 1))
  ((lines <= 60)) || { echo "$file: $name has $lines lines; the limit is 60"; status=1; }
done < <(sources -name '*.cpp' -o -name '*.h' |
  ctags -L - --languages=C++ --langmap=C++:+.h --kinds-C++=f --fields=ne --sort=no -o - 2>&1 |
  awk -F'\t' '{
    line = end = 0
    for (i = 4; i <= NF; i++) {
      if ($i ~ /^line:/) line = substr($i, 6)
      if ($i ~ /^end:/) end = substr($i, 5)
    }
    if (end) print $1 "\t" $2 ":" line "\t" end - line + 1
  }')
((functions > 1000)) || { echo "ctags found only $functions functions"; status=1; }

wide() { # wide CONDITION: of the files on stdin, the lines that are too wide and meet the condition
  xargs awk "FNR == 1 { fence = 0 } /^ *\`\`\`/ { fence = !fence }
    length > 100 && ($1) { print FILENAME \":\" FNR \": \" length \" columns; the limit is 100\" }"
}
report < <(sources -name '*.cpp' -o -name '*.h' | wide 1)
report < <({ sources -name '*.sh' -o -name '*.mjs'; ls .ci/*; } | wide '/^ *(#|\/\/)/')
report < <(sources -name '*.sql' -o -name '*.lua' | wide '/^ *--/')
report < <({ sources -name '*.md'; ls ./*.md; } | wide '!fence && !/^ *\||^    |:\/\/|\]\(/')
exit $status
