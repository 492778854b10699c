# Written by quorate. The bootstrap drop-in runs it as root before etcd's first start with `new`.
# The note outlives a power cut: who finds it, and no WAL, knows that a member lost its data, and never forms a cluster anew.
set -eu
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
attempt=<%= it.attempt %>
starting=<%= it.starting %>

if [ ! -e "$starting" ]; then
  cp "$attempt" "$starting.new"
  sync "$starting.new"
  mv -f "$starting.new" "$starting"
fi
sync "$starting" "${starting%/*}"
