#!/usr/bin/env bash
# Every function as it is deployed, for the processor of this machine, so that
# the emulator can run it. Arguments go to `sam build`: a function's logical id.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
case $(uname -m) in
    aarch64 | arm64) architecture=arm64 ;;
    *) architecture=x86_64 ;;
esac
sam build "$@" --parameter-overrides "Architecture=$architecture"
