"""Runs scim2-tester against the local gateway; every finding is a failure.

The suite is called as a library: the command line around it needs another
version of a package than the SAM CLI, which shares the environment.
"""

import collections
import subprocess
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from running import LOCAL, end_on_signals, free_port, running

# The extensions of RFC 9944 hold attributes that are written and never shown,
# and keys that are set once. The suite patches each extension with random
# values, expects to be shown all of them, and changes what cannot change.
# `it/catalogue.rs` tries these attributes by their characteristics instead.
NOT_FOR_EXTENSIONS = {
    "check_add_attribute",
    "check_replace_attribute",
    "check_remove_attribute",
}


def is_explained(result):
    extension = "urn:ietf:params:scim:schemas:extension:" in str(result.reason)
    return (
        result.resource_type == "Device" and extension and result.title in NOT_FOR_EXTENSIONS
    )


def main():
    end_on_signals()
    token = subprocess.run([LOCAL, "token"], check=True, stdout=subprocess.PIPE, text=True)
    port = free_port()
    base = f"http://127.0.0.1:{port}/scim/v2"
    headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
    with (
        running([LOCAL, "serve", "--port", str(port)], port),
        Client(base_url=base, headers=headers, timeout=30, trust_env=False) as http,
    ):
        results = check_server(SyncSCIMClient(http))

    findings = 0
    explained = 0
    for result in results:
        if result.status is Status.SUCCESS:
            continue
        if is_explained(result):
            explained += 1
            continue
        print(f"{result.status.name} {result.title} {result.resource_type or ''}".rstrip())
        print(f"  {result.reason}")
        print(f"  {result.data}")
        findings += 1
    counts = collections.Counter(result.status.name for result in results)
    summary = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    print(f"scim2-tester: {len(results)} checks: {summary}, {explained} explained")
    if findings or not counts[Status.SUCCESS.name]:
        sys.exit(f"error: {findings} findings in {len(results)} checks")


if __name__ == "__main__":
    main()
