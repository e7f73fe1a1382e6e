"""Runs scim2-tester against the local gateway; every finding is a failure.

The suite is called as a library: the command line around it needs another
version of a package than the SAM CLI, which shares the environment.
"""

import collections
import re
import subprocess
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from running import LOCAL, end_on_signals, free_port, running

# The key of this extension of RFC 9944 is immutable: once set, neither it nor
# the extension around it can be changed or removed (RFC 7643 §7).
SET_ONCE = "urn:ietf:params:scim:schemas:extension:pairingJustWorks:2.0:Device"


# Attributes of RFC 9944 that are never returned, as the suite's models spell them.
NEVER_RETURNED = {"irk", "bootstrap_key", "fdo_voucher"}


def plain(value):
    """A value of the suite without what no answer holds: attributes that are never
    returned, and the `schemas` that only the suite's models have."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        hidden = {"schemas", *NEVER_RETURNED}
        spelt = {re.sub("[A-Z]", lambda c: "_" + c.group().lower(), name): name for name in value}
        return {name: plain(value[sent]) for name, sent in spelt.items() if name not in hidden}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def holds(actual, expected):
    """Whether what was added is there, beside what was there before."""
    if isinstance(expected, list):
        return isinstance(actual, list) and all(value in actual for value in expected)
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            holds(actual.get(name), value) for name, value in expected.items()
        )
    return actual == expected


def is_explained(result):
    """Whether the service has done what the RFC says and the suite does not expect.

    PATCH add leaves the values of a list that were there (RFC 7644 §3.5.2.1), an
    extension without a value that can be shown is absent (RFC 7643 §2.5), and an
    extension has no `schemas` of its own.
    """
    data = result.data if isinstance(result.data, dict) else {}
    urn = str(data.get("urn", ""))
    if "error" in data:
        return urn in (SET_ONCE, f"{SET_ONCE}:key") and "Mutability" in type(data["error"]).__name__
    if "expected" not in data or "modify_actual" not in data:
        return False
    actual, expected = plain(data["modify_actual"]) or {}, plain(data["expected"])
    if result.title == "check_add_attribute":
        return holds(actual, expected)
    return result.title == "check_replace_attribute" and actual == expected


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
