#!/bin/sh
# An authority of this topology's own, and what it certifies; made once.
set -eu
cd /certificates
[ -f ca.pem ] && exit 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 \
    -subj "/CN=justice-gateway compose" -keyout ca.key -out ca.new
for name in population-xroad violations-xroad gateway; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
    printf 'subjectAltName=DNS:%s\n' "$name" > "$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.new -CAkey ca.key -CAcreateserial -days 825 \
        -extfile "$name.ext" -out "$name.pem"
done
chmod 644 ./*.key
rm ca.key
mv ca.new ca.pem
