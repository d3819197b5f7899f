#!/bin/bash
# Checks which files include which: the linker checks calls, and this guard checks includes.
set -u
cd "$(dirname "$0")/../.." || exit 2
grep -rnE '^ *# *include' src include tests examples --include='*.cpp' --include='*.h' | awk '
BEGIN {
  # A module may include itself and what stands here.
  may["core"] = ""; may["store"] = "core"; may["sys"] = "core"; may["usecase"] = "core store sys"
  may["web"] = "core store sys usecase"; may["app"] = "core store sys usecase web"
  # The folders of core have a direction of their own.
  below["base"] = ""; below["oauth"] = "base"; below["upstream"] = "base oauth"
  below["signin"] = "base oauth upstream"; below["access"] = "base oauth upstream signin"
  # Libraries that one module knows.
  only["<(Poco/Data|sqlite3|sql[a-z]*\\.h|mysql|mariadb)"] = "src/store/"
  only["<(fcgiapp|fcgi|kainjow)"] = "src/web/"
  only["<(Poco/Net/[A-Za-z]*(Session|Socket|Stream|Server|DNS)|netdb)"] = "src/sys/"
  only["<openssl"] = "src/(core|sys)/"
}
function fail(what) { print place ": " what; bad = 1 }
function within(word, list) { return index(" " list " ", " " word " ") > 0 }
{
  seen++
  split($0, part, ":"); file = part[1]; place = file ":" part[2]
  text = substr($0, length(place) + 2)
  sub(/^ *# *include */, "", text); sub(/ *\/\/.*/, "", text)
  n = split(file, path, "/"); split(text, used, /["<>\/]/)
  ours = path[1] == "src" || path[1] == "include"
  module = path[1] == "include" ? path[3] : path[2]
  folder = path[1] == "include" ? path[4] : path[3]
  if (text ~ /^["<]consentgate\//) {
    if (text ~ /^</) fail("our own headers are included with quotes")
    if (!(used[3] in may)) fail(used[3] " is no module")
    else if (module in may && used[3] != module && !within(used[3], may[module]))
      fail(module " may not include " used[3])
    else if (ours && module == "core" && used[3] == "core") {
      if (!(folder in below)) fail("core has no folder " folder)
      else if (used[4] != folder && !within(used[4], below[folder]))
        fail("core/" folder " may not include core/" used[4])
    }
  } else if (text ~ /^"/ && ours) {
    if (path[1] == "include") fail("a public header includes public headers only")
    else if (text ~ /\//) fail("a private header is included by its name alone, in its folder")
  } else if (used[2] in may && text ~ /^".*\// && used[2] != module && module != "bench" && module != "fuzz")
    fail("only the tests of " used[2] " may include its private headers")
  if (ours) {
    for (library in only)
      if (text ~ "^" library && file !~ "^" only[library])
        fail("only " only[library] " may include " text)
    if (path[1] == "include" && text ~ /^<(Poco|openssl)/)
      fail("a public header may not include " text)
  }
}
END {
  if (seen < 500) { print "only " seen " includes: is this the right folder?"; bad = 1 }
  exit bad
}'
