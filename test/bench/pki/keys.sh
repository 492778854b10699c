# On a member, as root: makes its three keys where they are missing, and requests for their certificates: keys.sh FOLDER USER
set -eu
umask 077
cd "$1"
for purpose in server peer client; do
  [ -e "$purpose.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$purpose.key"
  openssl req -new -key "$purpose.key" -subj "/CN=$purpose" -out "$purpose.csr"
done
chown "$2:$2" server.key peer.key
chown "root:$2" client.key
chmod 0640 client.key
cat server.csr peer.csr client.csr >requests.new
rm server.csr peer.csr client.csr
mv requests.new requests.pem
