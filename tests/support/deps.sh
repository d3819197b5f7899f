#!/bin/bash
# Installs the Debian packages named, where they are missing; `node` stands for a Node.js of at
# least 18 with npm, from wherever it comes. Quick when everything is there. Needs root or sudo
# only when something is to be installed.
set -eu
missing=()
for package in "$@"; do
  case $package in
  node) { command -v node && command -v npm && [ "$(node -p 'parseInt(process.versions.node)')" -ge 18 ]; } >/dev/null 2>&1 || missing+=(nodejs npm) ;;
  *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package") ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "these packages are missing, and there is neither root nor sudo to install them" >&2; exit 1; }
  as_root=(sudo)
fi
# A web server that is installed for our use must not start serving port 80: Debian asks this file
# before it starts one.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod 755 $policy
  trap '"${as_root[@]}" rm -f $policy' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
