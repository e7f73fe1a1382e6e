#!/usr/bin/env bash
# The description of the API as OpenAPI's own schema sees it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
exec openapi-spec-validator --schema 3.1 --validation-errors all docs/openapi.json
