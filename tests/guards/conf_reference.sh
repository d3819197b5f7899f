#!/bin/bash
# conf/consentgate.conf names every key of the program with its true default, and no other.
set -u
cd "$(dirname "$0")/../.." || exit 2
program=build/asan/consentgate-admin
[ -x $program ] && [ -f conf/consentgate.conf ] || { echo "the program or the file is missing"; exit 1; }
known=$($program check --keys | sort) || exit 1
written=$(sed -nE 's/^#([a-z_]+ = ?.*)$/\1/p' conf/consentgate.conf | sort)
diff <(sed 's/ *$//' <<<"$known") <(sed 's/ *$//' <<<"$written") || { echo "(< the program, > conf/consentgate.conf)"; exit 1; }
