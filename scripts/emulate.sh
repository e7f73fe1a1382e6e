#!/usr/bin/env bash
# Every sample event through the real binary under the Lambda runtime interface
# emulator. Needs scripts/build.sh first.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
# Not --package: that would choose features anew, and build all again.
cargo build --locked --quiet --bin local
exec python scripts/emulate.py "$@"
