"""Measures the memory of the bulk function as it is deployed.

The binary of scripts/build.sh, or another one that is named, polls a runtime
API that is played here, carries out one bulk request of 1,000 rows and 3 MB
without passwords on the embedded database, which is another process, and is
then asked what it held at most: VmHWM of /proc, so this needs Linux. Ends with
an error above the bound.
"""

import base64
import http.server
import json
import os
import queue
import subprocess
import sys
import threading
import time

from running import LOCAL, WORKSPACE, end_on_signals, free_port, function_environment, running

BINARY = os.path.join(WORKSPACE, ".aws-sam", "build", "BulkFunction", "bootstrap")
EVENT = "events/bulk-playground-user-and-group.json"
BOUND = 64 * 1024
ROWS = 1_000
BYTES = 3_000_000
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def main():
    end_on_signals()
    binary = sys.argv[1] if len(sys.argv) > 1 else BINARY
    body = request()
    port = free_port()
    with running([LOCAL, "dynamodb", "--port", str(port)], port):
        idle, most, answer = carried_out(binary, event(body), f"http://127.0.0.1:{port}")
    rows = json.loads(answer["body"])["Operations"]
    created = sum(row["status"] == "201" for row in rows)
    if created != ROWS:
        sys.exit(f"error: {created} of {ROWS} rows were created")
    print(f"{ROWS:,} rows, {len(body):,} bytes: {most:,} KiB at most, {idle:,} KiB before the request")
    if most > BOUND:
        sys.exit(f"error: the bound is {BOUND:,} KiB")


def request():
    """The body of the bulk request, filled up to its size."""

    def row(number, filling):
        name = f"user{number:04}"
        address = {"type": "work", "streetAddress": "x" * filling, "locality": "Springfield"}
        data = {
            "schemas": [USER],
            "userName": name,
            "externalId": str(number),
            "name": {"givenName": "Some", "familyName": name},
            "emails": [{"value": f"{name}@example.com", "type": "work"}],
            "addresses": [address],
        }
        return {"method": "POST", "path": "/Users", "bulkId": name, "data": data}

    def body(filling):
        schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
        rows = [row(number, filling) for number in range(ROWS)]
        return json.dumps({"schemas": schemas, "Operations": rows}).encode()

    return body((BYTES - len(body(0))) // ROWS)


def event(body):
    """The body as the gateway hands it over."""
    with open(os.path.join(WORKSPACE, EVENT), encoding="utf-8") as file:
        event = json.load(file)
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return json.dumps(event).encode()


def carried_out(binary, event, database):
    """KiB held at most before and after the event, and the answer to it."""
    api = RuntimeApi(event)
    env = function_environment(
        "BulkFunction",
        database,
        1769,
        AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{api.server_port}",
        AWS_LAMBDA_FUNCTION_VERSION="1",
    )
    threading.Thread(target=api.serve_forever, daemon=True).start()
    process = subprocess.Popen(
        [binary], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        api.polled.wait(60)
        idle = peak(process.pid)
        api.handed_over.set()
        answer = json.loads(api.answers.get(timeout=600))
        return idle, peak(process.pid), answer
    finally:
        process.kill()
        process.wait()
        api.shutdown()


def peak(pid):
    """The most memory that a process has held, in KiB."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmHWM"].split()[0])


class RuntimeApi(http.server.ThreadingHTTPServer):
    """The runtime API of Lambda for one invocation."""

    daemon_threads = True

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), Invocation)
        self.event = event
        self.polled = threading.Event()
        self.handed_over = threading.Event()
        self.answers = queue.Queue()

    def handle_error(self, request, client_address):
        # The function is ended while it asks for its next event.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Invocation(http.server.BaseHTTPRequestHandler):
    """What the function asks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.polled.is_set():
            # There is no second event: the poll stays open.
            time.sleep(3600)
        self.server.polled.set()
        self.server.handed_over.wait()
        # Far away: the database is built without optimisation.
        deadline = str(int((time.time() + 600) * 1000))
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000000")
        self.send_header("Lambda-Runtime-Deadline-Ms", deadline)
        arn = "arn:aws:lambda:us-east-1:123456789012:function:BulkFunction"
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.event)))
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answers.put(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    main()
