#!/bin/bash
# Makes the Debian package out of what `make install` puts into a folder: conf/debian/build.sh STAGED VERSION OUT
set -eu
staged=$(cd "$1" && pwd) version=$2 out=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
control=$staged/DEBIAN doc=$staged/usr/share/doc/consentgate
mkdir -p "$control"

# Which libraries it needs, and from which version on, the linked programs themselves say.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
printf 'Source: consentgate\n\nPackage: consentgate\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$staged"/usr/bin/* 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "dpkg-shlibdeps found no libraries" >&2; exit 1; }

sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$(dpkg --print-architecture)|" -e "s|@SIZE@|$(du -sk "$staged" | cut -f1)|" \
  -e "s|@DEPENDS@|$depends|" "$here/control" >"$control/control"
install -m 0755 "$here"/{postinst,prerm,postrm} "$control/"
# The operator's changes to these outlive an upgrade.
(cd "$staged" && find etc -type f -printf '/%p\n' | sort) >"$control/conffiles"
install -D -m 0644 "$here/copyright" "$doc/copyright"
gzip -9nc "$here/changelog" >"$doc/changelog.gz"
find "$staged/usr/share/man" -type f ! -name '*.gz' -exec gzip -9n '{}' +
(cd "$staged" && find lib usr -type f -print0 | sort -z | xargs -0 md5sum) >"$control/md5sums"
chmod 0644 "$doc/changelog.gz"
chmod 0644 "$control"/{control,conffiles,md5sums}
dpkg-deb --root-owner-group -Zxz -z2 --build "$staged" "$out" >/dev/null
