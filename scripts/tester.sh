#!/usr/bin/env bash
# The independent suite scim2-tester against the local gateway.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
# Not --package: that would choose features anew, and build all again.
cargo build --locked --quiet --bin local
exec python scripts/tester.py "$@"
