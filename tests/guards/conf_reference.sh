#!/bin/bash
# Checks that conf/consentgate.conf names each key of the program with its default, and no other.
set -u
cd "$(dirname "$0")/../.." || exit 2
program=build/asan/consentgate-admin
[ -x $program ] || { echo "$program is missing"; exit 1; }
known=$($program check --defaults | sort) || exit 1
written=$(sed -nE 's/^#([a-z_]+ = ?.*)$/\1/p' conf/consentgate.conf | sort)
diff <(sed 's/ *$//' <<<"$known") <(sed 's/ *$//' <<<"$written") ||
  { echo "(< the program, > conf/consentgate.conf)"; exit 1; }
