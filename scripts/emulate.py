"""Replays events/*.json against the release binaries under the emulator.

Each event runs on an empty database and on one where the user, the group, the
device and the application exist that it may name by id, and again through `local invoke` on others: the
real binary must answer with the same status, and for a bulk with the same
status in every row. Ids and times differ, so bodies are not compared.
"""

import argparse
import concurrent.futures
import difflib
import functools
import glob
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import samcli
from running import (
    LOCAL,
    WORKSPACE,
    bare_environment,
    end_on_signals,
    free_port,
    function_environment,
    running,
)

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
BUILD = os.path.join(WORKSPACE, ".aws-sam", "build")
# What the events call by these ids, and how it is created.
PLACEHOLDERS = [f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3, 4)]
BULK = "events/bulk-playground-user-and-group.json"
PREPARATION = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
    "Operations": [
        {
            "method": "POST",
            "path": "/Users",
            "bulkId": "alice",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "alice@example.com",
            },
        },
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "staff",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
                "displayName": "Staff",
                "members": [{"value": "bulkId:alice"}, {"value": "bulkId:pump"}],
            },
        },
        {
            "method": "POST",
            "path": "/Devices",
            "bulkId": "pump",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Device"],
                "displayName": "Pump",
                "active": True,
            },
        },
        {
            "method": "POST",
            "path": "/EndpointApps",
            "bulkId": "control",
            "data": {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],
                "applicationType": "deviceControl",
                "applicationName": "Control",
            },
        },
    ],
}
# How the emulator logs that the function has answered.
SUCCEEDED = "INVOKE RTDONE(status: success"
ATTEMPTS = 3
# Without the proxy that the environment may name.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Logical id of each function, and what the paths of its routes end in.
FUNCTIONS = {
    "UsersFunction": ("/Users", "/Users/.search", "/Users/{id}", "/Me"),
    "GroupsFunction": ("/Groups", "/Groups/.search", "/Groups/{id}"),
    "ResourcesFunction": (
        "/Devices",
        "/Devices/.search",
        "/Devices/{id}",
        "/EndpointApps",
        "/EndpointApps/.search",
        "/EndpointApps/{id}",
    ),
    "BulkFunction": ("/Bulk", "/.search", ""),
    "DiscoveryFunction": (
        "/ServiceProviderConfig",
        "/Schemas",
        "/Schemas/{id}",
        "/ResourceTypes",
        "/ResourceTypes/{id}",
    ),
}


class AnswerLost(Exception):
    """The function answered, and the emulator did not hand the answer on."""


def way(event):
    """The function and the base path that an event's route key tells."""
    key = event["routeKey"]
    if key == "$default":
        return "DiscoveryFunction", "scim/v2"
    path = key.split(" ", 1)[1]
    routes = [(suffix, function) for function, suffixes in FUNCTIONS.items() for suffix in suffixes]
    # The base path is itself a route, and so ends everything: the longest counts.
    suffix, function = max(
        (route for route in routes if path.endswith(route[0])), key=lambda route: len(route[0])
    )
    return function, path.removesuffix(suffix).strip("/")


def bootstrap(function):
    """The binary that is deployed as the function."""
    return os.path.join(BUILD, function, "bootstrap")


def emulator(folder):
    """The emulator that the SAM CLI brings along, made executable."""
    name = f"aws-lambda-rie-{ARCHITECTURE}"
    source = os.path.join(os.path.dirname(samcli.__file__), "local", "rapid", name)
    copy = os.path.join(folder, name)
    shutil.copyfile(source, copy)
    os.chmod(copy, os.stat(copy).st_mode | stat.S_IXUSR)
    return copy


def emulated(rie, event, database, log):
    """The answer of the real binary."""
    function, base_path = way(event)
    front, back = free_port(), free_port()
    env = function_environment(
        function,
        database,
        512,
        AWS_LAMBDA_FUNCTION_TIMEOUT="29",
        AWS_LAMBDA_LOG_FORMAT="JSON",
        BASE_PATH=base_path,
        TENANT_CLAIM="tenant_id" if "{tenant_id}" in base_path else "",
    )
    command = [
        rie,
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{front}",
        "--runtime-api-address",
        f"127.0.0.1:{back}",
        bootstrap(function),
    ]
    url = f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations"
    begun = log.seek(0, os.SEEK_END)
    with running(command, front, env, log):
        request = urllib.request.Request(url, json.dumps(event).encode(), method="POST")
        try:
            with DIRECTLY.open(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            failure = error
    # A function that answers within a millisecond of its start can meet an
    # emulator that still takes it for starting: an empty 502, though its log
    # has the success. A function that failed is logged as such.
    log.seek(begun)
    if failure.code == 502 and SUCCEEDED in log.read():
        raise AnswerLost(str(failure))
    raise failure


def invoked(event, database, log):
    """The answer of `local invoke`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(event, file)
        file.flush()
        done = subprocess.run(
            [LOCAL, "invoke", file.name],
            env=bare_environment(AWS_ENDPOINT_URL_DYNAMODB=database),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            timeout=60,
        )
    if done.returncode:
        raise RuntimeError(f"local invoke ended with {done.returncode}")
    return json.loads(done.stdout)


def prepared(text, database, log):
    """The event, with the ids of resources that now exist."""
    with open(os.path.join(WORKSPACE, BULK), encoding="utf-8") as file:
        event = json.load(file)
    event |= {"body": json.dumps(PREPARATION), "isBase64Encoded": False}
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    claims["scope"] += " scim.devices.write scim.endpointapps.write"
    rows = json.loads(invoked(event, database, log)["body"])["Operations"]
    for placeholder, row in zip(PLACEHOLDERS, rows):
        text = text.replace(placeholder, row["location"].rsplit("/", 1)[1])
    return text


def answered(run, text, preparing, log):
    """What `run` answers to an event on a database of its own."""
    port = free_port()
    database = f"http://127.0.0.1:{port}"
    with running([LOCAL, "dynamodb", "--port", str(port)], port, log=log):
        if preparing:
            text = prepared(text, database, log)
        return told(run(json.loads(text), database, log))


def surely_answered(run, text, preparing, log):
    """`answered`, all of it again where the emulator loses the answer."""
    for _ in range(ATTEMPTS - 1):
        try:
            return answered(run, text, preparing, log)
        except AnswerLost as lost:
            print(f"repeated, the emulator lost the answer: {lost}", file=sys.stderr)
    return answered(run, text, preparing, log)


def told(answer):
    """What must agree between two runs of an event, as lines."""
    if "statusCode" not in answer:
        raise ValueError(f"no gateway response: {json.dumps(answer)[:500]}")
    body = answer.get("body")
    body = json.loads(body) if body else {}
    rows = body.get("Operations", []) if isinstance(body, dict) else []
    return [
        f"status {answer['statusCode']}",
        f"type {answer.get('headers', {}).get('content-type')}",
        f"fields {' '.join(sorted(body))}",
        *(f"row {row.get('method')} {row.get('bulkId')} {row.get('status')}" for row in rows),
    ]


def replay(rie, path):
    """One event: its statuses, and what is wrong, or nothing."""
    statuses, problem = [], ""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for preparing in (False, True):
                here = answered(invoked, text, preparing, log)
                real = surely_answered(functools.partial(emulated, rie), text, preparing, log)
                difference = difflib.unified_diff(
                    here, real, "local invoke", "emulator", lineterm=""
                )
                problem += "\n".join(difference)
                statuses.append(real[0].removeprefix("status "))
        except Exception as error:  # any failure is this event's failure
            problem += f"{type(error).__name__}: {error}"
        if problem:
            log.seek(0)
            problem += f"\nlogs:\n{log.read()[-4000:]}"
        return " ".join(statuses), problem


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", nargs="*", help="event files instead of events/*.json")
    parser.add_argument("--jobs", type=int, default=4, help="events at the same time")
    arguments = parser.parse_args()
    end_on_signals()
    events = arguments.events or sorted(glob.glob(os.path.join(WORKSPACE, "events", "*.json")))
    if not events:
        sys.exit("error: there are no events to replay")
    missing = [name for name in FUNCTIONS if not os.path.exists(bootstrap(name))]
    if missing:
        sys.exit(f"error: run scripts/build.sh first; not built: {', '.join(missing)}")
    for name in FUNCTIONS:
        print(f"{name} {os.path.getsize(bootstrap(name)):,} bytes")

    failed = 0
    pool = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
    with tempfile.TemporaryDirectory() as folder:
        rie = emulator(folder)
        try:
            runs = pool.map(lambda path: replay(rie, path), events)
            for path, (status, problem) in zip(events, runs):
                name = os.path.basename(path)
                print(f"FAIL {name}\n{problem}" if problem else f"ok   {name} {status}")
                failed += bool(problem)
        finally:
            pool.shutdown(cancel_futures=True)
    if failed:
        sys.exit(f"error: {failed} of {len(events)} events failed")
    print(f"{len(events)} events answered alike by the deployed functions and by local invoke")


if __name__ == "__main__":
    main()
