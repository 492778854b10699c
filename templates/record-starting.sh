# Written by quorate. etcd's unit runs it as root before each start: record-starting.sh new|existing
# The note outlives a power cut: who finds it, and no WAL, knows that a member lost its data, and never forms a cluster anew.
set -eu
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=$1
attempt=<%= it.attempt %>
starting=<%= it.starting %>
wal=<%= it.wal %>

has_wal() {
  for each in "$wal"/*.wal; do
    [ ! -e "$each" ] || return 0
  done
  return 1
}
note() {
  cp "$attempt" "$starting.new" &&
    sync "$starting.new" &&
    mv -f "$starting.new" "$starting" &&
    sync "$starting" "${starting%/*}"
}

if [ -e "$starting" ]; then
  # One that joins with `existing` may try again until its peers answer.
  [ "$state" = new ] || exit 0
  has_wal && exit 0
  echo 'quorate: this member was started before and has no data now: it is not started as a new one; run quorate bootstrap' >&2
  exit 1
fi
[ "$state" = new ] || [ -e "$attempt" ] || exit 0
# Without its note a first start is not let; a member with data is never kept down for it.
note || { [ "$state" = existing ] && has_wal; }
