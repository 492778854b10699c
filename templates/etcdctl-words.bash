# Written by quorate: completion of etcdctl's commands for bash; etcdctl 3.4 brings none of its own.
if [ -n "${BASH_VERSION-}" ]; then
  complete -o default -W 'alarm auth check compaction defrag del elect endpoint get help lease lock make-mirror member migrate move-leader put role snapshot txn user version watch' etcdctl
fi
