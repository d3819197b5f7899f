#!/bin/bash
# All C++ is as clang-format 14 (Debian 12) writes it; `make format` mends what differs. Files may be named as arguments.
set -u
cd "$(dirname "$0")/../.." || exit 2
clang-format --version | grep -q 'version 14\.' || { echo "clang-format 14 is needed: other versions write other lines"; exit 1; }
if [ $# -eq 0 ]; then
  mapfile -t files < <(find src include tests examples -type f \( -name '*.cpp' -o -name '*.h' \) -not -path '*/node_modules/*')
  ((${#files[@]} > 250)) || { echo "hardly any file was found: is this guard looking in the right place?"; exit 1; }
  set -- "${files[@]}"
fi
different=$(printf '%s\0' "$@" | xargs -0 -n 40 -P "$(nproc)" clang-format --dry-run -Werror 2>&1 |
  sed -nE 's/^([^: ]+):([0-9]+):.*code should be clang-formatted.*/\1/p' | sort -u)
[ -z "$different" ] || { echo "not as clang-format writes it (make format mends it):"; echo "$different"; exit 1; }
