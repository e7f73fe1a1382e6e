#!/usr/bin/env bash
# Schemathesis against the local gateway, with the description of the API.
# Arguments go to `schemathesis run`: --seed, --max-time 1200, --include-path ….
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
# Not --package: that would choose features anew, and build all again.
cargo build --locked --quiet --bin local
exec python scripts/schemathesis.py "$@"
