#!/usr/bin/env bash
# Makes src/csi/gen/ from proto/csi.proto: messages, services, and the list of secret fields.
set -euo pipefail
cd "$(dirname "$0")/../proto"

buf=(npx --yes @bufbuild/buf@1.75.0)
gen=../src/csi/gen

"${buf[@]}" generate
# Only the compiler needs it: the options that csi.proto defines are read from the descriptor below.
rm -f "$gen/google/protobuf/descriptor.ts"
"${buf[@]}" build -o -#format=json | ../node_modules/.bin/node ../scripts/secret-fields.ts >"$gen/secret-fields.ts"
