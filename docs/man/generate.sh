#!/bin/bash
# Writes two manual pages: consentgate-admin(8) from the program's --help, and consentgate.conf(5)
# from the comments of conf/consentgate.conf.
#   generate.sh ADMIN-PROGRAM OUT
set -eu
admin=$1 out=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"

# Plain text for roff: escapes backslashes and hyphens, and lines that begin like a request.
roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

# Each command, one line each, in the order of --help.
commands() {
  "$admin" --help | sed -nE 's/^  ([a-z-]+( [a-z]+)?)( .*)?$/\1/p' | while read -r first second; do
    "$admin" "$first" ${second:+"$second"} --help |
      sed -nE '1s/^usage: consentgate-admin ([a-z-]+( [a-z]+)?).*/\1/p'
  done
}

{
  echo '.TH CONSENTGATE-ADMIN 8 "" consentgate'
  echo '.SH NAME'
  echo 'consentgate\-admin \- administer consentgate'
  echo '.SH SYNOPSIS'
  echo '.B consentgate\-admin'
  echo '.I COMMAND'
  echo '[\fB\-\-config\fR \fIFILE\fR] [options]'
  echo '.SH DESCRIPTION'
  echo 'Data go to the standard output, messages to the standard error.'
  "$admin" --help | sed -n '/^consentgate-admin COMMAND --help/,$p' | roff
  echo 'Run it as root: it then works as the user to whom the folder of the key file belongs.'
  echo '.SH COMMANDS'
  commands | while read -r command; do
    read -ra words <<<"$command"
    "$admin" "${words[@]}" --help | roff | awk '
      NR == 1 { sub(/^usage: consentgate\\-admin /, ""); print ".SS " $0; next }
      NR == 3 { print; next }
      /^  / {
        sub(/^  /, ""); at = match($0, /  +/); if (!at) at = length($0) + 1
        print ".TP\n\\fB" substr($0, 1, at - 1) "\\fR"; print substr($0, at + RLENGTH); next
      }
      /^JSON: / { sub(/^JSON: /, ""); print ".PP\nMembers of the JSON: " $0; next }
      /^example: / { sub(/^example: /, ""); print ".PP\nExample:\n.EX\n" $0 "\n.EE" }'
  done
  echo '.SH SEE ALSO'
  echo '.BR consentgate (8),'
  echo '.BR consentgate.conf (5)'
} >"$out/consentgate-admin.8"

{
  echo '.TH CONSENTGATE.CONF 5 "" consentgate'
  echo '.SH NAME'
  echo 'consentgate.conf \- configuration of consentgate'
  echo '.SH DESCRIPTION'
  roff <"$here/../../conf/consentgate.conf" | awk '
    function flush(   i) {
      for (i = 1; i <= keys; i++) print (i == 1 ? ".TP" : ".TQ") "\n\\fB" key[i] "\\fR"
      if (text != "") printf "%s%s", keys || !begun ? "" : ".PP\n", text
      if (keys && text == "") print "As above, for another purpose."
      begun = 1; keys = 0; text = ""
    }
    /^# (\\-)+ / {
      flush(); gsub(/\\-/, ""); sub(/^# */, ""); sub(/ *$/, "")
      print ".SH " toupper($0); next
    }
    /^#[a-z_]+ =/ { sub(/^#/, ""); key[++keys] = $0; next }
    /^# / { if (keys) flush(); sub(/^# /, ""); text = text $0 "\n"; next }
    { flush() }
    END { flush() }'
  echo '.SH SEE ALSO'
  echo '.BR consentgate (8),'
  echo '.BR consentgate\-admin (8)'
} >"$out/consentgate.conf.5"
