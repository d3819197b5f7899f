# Bash completion for consentgate-admin: offers the commands and options that --help lists.
_consentgate_admin() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word words=() found
  for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do [[ $word == -* ]] || words+=("$word"); done
  if [[ $previous == --config || $previous == --*-file ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  if [[ $current == -* ]]; then
    found=$("$1" "${words[@]:0:2}" --help 2>/dev/null | sed -nE 's/^  (--[a-z-]+).*/\1/p')
  else
    case ${#words[@]} in
    0) found=$("$1" --help 2>/dev/null | sed -nE 's/^  ([a-z-]+) .*/\1/p') ;;
    1) found=$("$1" "${words[0]}" --help 2>/dev/null | sed -nE "s/^  ${words[0]} ([a-z-]+) .*/\1/p") ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$found" -- "$current" | sort -u)
}
complete -F _consentgate_admin consentgate-admin
