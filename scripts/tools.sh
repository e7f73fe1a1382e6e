# Sourced by the other scripts: the pinned Python tools, in .venv of the
# workspace, and what they need to run without an AWS account.
workspace=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$workspace/.venv"
pins="$workspace/scripts/requirements.txt"

if ! cmp -s "$pins" "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins"
    cp "$pins" "$venv/installed.txt"
fi

export PATH="$venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-us-east-1}"
export AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID:-local}"
export AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY:-local}"
cd "$workspace"
