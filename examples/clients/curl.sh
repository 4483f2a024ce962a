#!/bin/sh
# Without a client: sh curl.sh http://127.0.0.1:8080
set -eu
note="$1/v1/docs/notes/shopping"

curl -fsS -X PUT -H 'Content-Type: text/plain' --data-binary 'bread' "$note"
curl -fsS -X PUT -H 'Content-Type: text/plain' -H 'If-Match: *' --data-binary 'bread, milk' "$note"
curl -fsS -X PATCH -H 'Content-Type: application/vnd.pilcrow.op+json' --data '{"v":2,"op":[11," 🧀"]}' "$note"
curl -fsS "$note"
