#!/bin/bash
# Checks that each migration only adds, so that programs of the version before go on beside it, or
# says by its name (sql/NNNN_…_stop.sql) that they must be stopped first.
#
# What only adds: a table; an index; a column that may be NULL; a longer text column; a value in a
# column that the same file adds. What rows mean is for `make upgrade-check` and for the reader.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
complain() { echo "$1"; status=1; }

# One statement on a line, without comments.
statements() { sed '/^ *--/d' "$1" | tr '\n' ' ' | sed 's/; */;\n/g; s/  */ /g'; }

# Whether the statement $2 of the file $1 only adds.
only_adds() {
  local column table
  case $2 in
    'CREATE TABLE '* | 'CREATE INDEX '*) return 0 ;;
    'CREATE UNIQUE INDEX '*)
      table=$(sed -E 's/.* ON (\w+) .*/\1/' <<<"$2")
      grep -q "^CREATE TABLE $table " "$1" ;;
    'ALTER TABLE '*' ADD COLUMN '*) ! grep -q 'NOT NULL' <<<"$2" ;;
    'ALTER TABLE '*' ALTER COLUMN '*' TYPE VARCHAR('*) return 0 ;;
    'UPDATE '*' SET '*)
      table=$(sed -E 's/^UPDATE (\w+) .*/\1/' <<<"$2") column=$(sed -E 's/.* SET (\w+) .*/\1/' <<<"$2")
      grep -q "^ALTER TABLE $table ADD COLUMN $column " "$1" ;;
    *) return 1 ;;
  esac
}

number=0
for file in sql/*.sql; do
  number=$((number + 1))
  [[ ${file##*/} =~ ^[0-9]{4}_[a-z_]+\.sql$ ]] || complain "$file: its name is not NNNN_words.sql"
  while read -r statement; do
    [ -z "$statement" ] || [[ $file = *_stop.sql ]] || only_adds "$file" "$statement" ||
      complain "$file: the version before could not go on after: ${statement:0:60}
  (add something instead, or name the file …_stop.sql: docs/upgrade.md)"
  done < <(statements "$file")
done
((number > 20)) || complain "only $number migrations: is this the right folder?"
exit $status
