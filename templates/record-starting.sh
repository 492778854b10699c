# Written by quorate. The bootstrap drop-in runs it as root before each of etcd's starts with `new`.
# The note outlives a power cut: who finds it, and no WAL, knows that a member lost its data, and never forms a cluster anew.
set -eu
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
attempt=<%= it.attempt %>
starting=<%= it.starting %>
wal=<%= it.wal %>

if [ -e "$starting" ]; then
  for each in "$wal"/*.wal; do
    [ ! -e "$each" ] || exit 0
  done
  echo 'quorate: this member was started before and has no data now: it is not started as a new one; run quorate bootstrap' >&2
  exit 1
fi
cp "$attempt" "$starting.new"
sync "$starting.new"
mv -f "$starting.new" "$starting"
sync "$starting" "${starting%/*}"
