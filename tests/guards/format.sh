#!/bin/bash
# Checks that all C++, or the files named, are as clang-format 14 writes them (`make format`).
#
# The version is Debian 12's: others break lines elsewhere.
set -u
cd "$(dirname "$0")/../.." || exit 2
clang-format --version | grep -q 'version 14\.' || { echo "clang-format 14 is needed"; exit 1; }
if [ $# -eq 0 ]; then
  mapfile -t files < <(find src include tests examples -type f \( -name '*.cpp' -o -name '*.h' \) \
    -not -path '*/node_modules/*')
  ((${#files[@]} > 250)) || { echo "only ${#files[@]} files: is this the right folder?"; exit 1; }
  set -- "${files[@]}"
fi
different=$(printf '%s\0' "$@" | xargs -0 -n 40 -P "$(nproc)" clang-format --dry-run -Werror 2>&1 |
  sed -nE 's/^([^: ]+):([0-9]+):.*code should be clang-formatted.*/\1/p' | sort -u)
[ -z "$different" ] || { echo "make format would change:"; echo "$different"; exit 1; }
