#!/usr/bin/env bash
# No Lambda binary may contain the embedded database.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for function in functions/*/; do
    package=$(basename "$function")
    tree=$(cargo tree --locked --edges normal --package "$package")
    if grep -E 'dynoxide|rusqlite|libsqlite3' <<<"$tree"; then
        echo "error: the function $package links the embedded database" >&2
        exit 1
    fi
done
