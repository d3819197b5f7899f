# Bash completion for consentgate-admin: offers what its --help lists at that place, so that it knows
# every command and option. tests/e2e/completion.test.mjs holds it to tests/app/names.txt.
_consentgate_admin() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=() at help value found=''
  for ((at = 1; at < COMP_CWORD; at++)); do
    case ${COMP_WORDS[at]} in
    --config) ((at++)) ;; # may stand before the command
    -*) ;;
    *) words+=("${COMP_WORDS[at]}") ;;
    esac
  done
  help=$("$1" "${words[@]:0:2}" --help 2>/dev/null)
  value=$(sed -nE "s/^  $previous ([A-Z|=]+)( .*|\.\.\..*)?$/\1/p" <<<"$help" 2>/dev/null)
  [[ $previous != --config ]] || value=FILE
  if [[ $previous == --* && -n $value ]]; then
    [[ $value != FILE && $value != PATH ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  if [[ $current == -* ]]; then
    found="$(sed -nE 's/^  (--[a-z-]+).*/\1/p' <<<"$help") --config --help"
    ((${#words[@]})) || found+=' --version'
  else
    case $help in
    'usage: consentgate-admin COMMAND '*) found=$(sed -nE 's/^  ([a-z-]+) .*/\1/p' <<<"$help") ;;
    'usage: consentgate-admin '*' VERB '*) found=$(sed -nE "s/^  ${words[0]} ([a-z-]+) .*/\1/p" <<<"$help") ;;
    'usage: consentgate-admin '*' FILE '*)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$found" -- "$current" | sort -u)
}
complete -F _consentgate_admin consentgate-admin
