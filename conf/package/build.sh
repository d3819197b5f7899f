#!/bin/bash
# Builds the Debian package from programs that are built already, and lets lintian check it:
#   conf/package/build.sh BUILD VERSION      BUILD is the folder of the programs, e.g. build/package
# The packages (consentgate, consentgate-dbgsym) go to build/; the last line names the first.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
programs=$1 version=$2 file=consentgate_$2_$(dpkg --print-architecture).deb

# dpkg-buildpackage wants debian/ at the top of the sources, where this project keeps nothing: so it
# works in a folder of links to the project.
tree=build/deb/consentgate-$version
rm -rf build/deb && mkdir -p "$tree"
for part in *; do ln -s "../../../$part" "$tree/$part"; done
cp -R conf/package/debian "$tree/debian"

# Make's own variables would reach debian/rules; BUILD alone is meant for it.
build() { env -u MAKEFLAGS -u MFLAGS BUILD="$programs" dpkg-buildpackage -b -uc -us; }
(cd "$tree" && build) >build/deb/log 2>&1 || { tail -n 40 build/deb/log >&2; exit 1; }
rm -f build/consentgate*.deb
mv build/deb/*.deb build/
lintian --allow-root --fail-on error "build/$file" >&2
echo "build/$file"
