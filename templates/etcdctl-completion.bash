# Written by quorate: completion of etcdctl for bash. etcdctl is asked for it at the first TAB, not at login.
if [ -n "${BASH_VERSION-}" ]; then
  _quorate_etcdctl() {
    complete -r etcdctl 2>/dev/null
    declare -F _get_comp_words_by_ref >/dev/null || return 1
    # shellcheck disable=SC1090
    source <(<%= it.etcdctl %> completion bash 2>/dev/null) && return 124
  }
  complete -o default -F _quorate_etcdctl etcdctl
fi
