#!/bin/bash
# Checks that one version is named everywhere: conf/package/debian/changelog has it, the programs
# and the package take it from there, and CHANGELOG.md, debian/NEWS and docs/upgrade.md agree.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
complain() { echo "$1"; status=1; }
debian=conf/package/debian

version=$(sed -n '1s/.*(\(.*\)).*/\1/p' $debian/changelog)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || complain "$debian/changelog: no version in line 1"
released=$(sed -n 's/^ -- .*>  \(.*\)$/\1/p' $debian/changelog | head -n 1)
heading="## $version ($(date -u -d "$released" +%F))"
[ "$(grep -m 1 '^## ' CHANGELOG.md)" = "$heading" ] ||
  complain "CHANGELOG.md: its first heading is not \"$heading\""
diff <(sed -nE 's/^consentgate \((.*)\).*/\1/p' $debian/changelog) \
  <(sed -nE 's/^## (.*) \(.*\)$/\1/p' CHANGELOG.md) ||
  complain "(versions: < $debian/changelog, > CHANGELOG.md)"
while read -r news; do
  grep -q "^consentgate ($news)" $debian/changelog || complain "$debian/NEWS: there is no $news"
done < <(sed -nE 's/^consentgate \((.*)\).*/\1/p' $debian/NEWS)
grep -qF "| $version |" docs/upgrade.md || complain "docs/upgrade.md: no row leads to $version"
grep -q "^${version%.*}\b" <(sed -n '/^## Status/,/^## Try/p' README.md) ||
  complain "README.md: Status is not about ${version%.*}"
# Whoever upgrades comes from a version whose database and configuration a test has.
before=$(sed -nE 's/^consentgate \((.*)\).*/\1/p' $debian/changelog | sed -n 2p)
[ -z "$before" ] || [ -e "tests/upgrade/$before/known.json" ] ||
  complain "tests/upgrade/$before: no test upgrades from there"
exit $status
