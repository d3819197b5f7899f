#!/bin/bash
# Lets libFuzzer search each target for its part of the minutes, beginning with the kept corpus and
# with what earlier runs found. An input that breaks a target is left in build/fuzz/found, where
# replaying it shows the error: build/asan/fuzz/TARGET takes the folder.
# in: MINUTES TARGET...
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
[[ ${1:-} =~ ^[1-9][0-9]{0,4}$ ]] || { echo "MINUTES must be a whole number" >&2; exit 1; }
seconds=$(($1 * 60 / ($# - 1)))
shift
broken=0
for target in "$@"; do
  corpus=build/fuzz/corpus/$target found=build/fuzz/found/$target
  mkdir -p "$corpus" "$found"
  build/fuzz/fuzz/"$target" -max_total_time="$seconds" -artifact_prefix="$found/" -timeout=10 \
    -rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 "$corpus" tests/fuzz/corpus/"$target" \
    >build/fuzz/"$target".log 2>&1
  status=$?
  tries=$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/"$target".log)
  printf '%-20s %9s inputs, %s\n' "$target" "${tries:-?}" \
    "$([ $status -eq 0 ] && echo "nothing found" || echo "BROKEN: build/fuzz/$target.log")"
  [ $status -eq 0 ] || broken=$((broken + 1))
done
echo "$# targets, $broken broken"
[ $broken -eq 0 ]
