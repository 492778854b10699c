# Written by quorate: etcdctl at this host's own member, for root and the group of etcd's account.
case ":$PATH:" in
  *:<%= it.binDir %>:*) ;;
  *) PATH=$PATH:<%= it.binDir %> ;;
esac
if [ -r <%= it.pki + '/client.key' %> ]; then
<% if (it.api !== '') { -%>
  export ETCDCTL_API=<%= it.api %>
<% } -%>
  export ETCDCTL_ENDPOINTS=<%= it.endpoint %>
  export ETCDCTL_CACERT=<%= it.pki + '/ca.crt' %>
  export ETCDCTL_CERT=<%= it.pki + '/client.crt' %>
  export ETCDCTL_KEY=<%= it.pki + '/client.key' %>
fi
