#!/usr/bin/env bash
# The template as SAM and cfn-lint see it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
sam validate --lint
