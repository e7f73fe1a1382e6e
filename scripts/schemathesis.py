"""Runs Schemathesis against the local gateway; every finding is a failure.

Without arguments seed and number of requests are fixed, so that a run tells
what a change has changed, and the run must end in time. With arguments for
`schemathesis run`, such as another seed and `--max-time`, it may take as long as
they say.
"""

import os
import subprocess
import sys

from running import LOCAL, WORKSPACE, bare_environment, end_on_signals, free_port, running

# Those of the usual run; further ones come after these and override them.
ARGUMENTS = ["--seed", "1", "--max-examples", "20", "--workers", "2"]
# Whom the token names: the name that most users get whom Schemathesis makes up,
# so that `/Me` is somebody most of the time.
SUBJECT = "0"
# Seconds that the usual run may take, several times what it does.
LIMIT = 900


def main():
    end_on_signals()
    more = sys.argv[1:]
    token = subprocess.run(
        [LOCAL, "token", "--subject", SUBJECT, "--expires-in", "12h"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = free_port()
    command = [
        "schemathesis",
        "--config-file",
        os.path.join(WORKSPACE, "scripts", "schemathesis.toml"),
        "run",
        os.path.join(WORKSPACE, "docs", "openapi.json"),
        "--url",
        f"http://127.0.0.1:{port}",
        *ARGUMENTS,
        *more,
    ]
    environment = bare_environment(
        SCIM_TOKEN=token.stdout.strip(),
        HYPOTHESIS_STORAGE_DIRECTORY=os.path.join(WORKSPACE, "target", "hypothesis"),
    )
    serve = [LOCAL, "serve", "--port", str(port)]
    with running(serve, port, env=os.environ | {"SUBJECT_ATTRIBUTE": "userName"}):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=None if more else LIMIT,
        )
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
