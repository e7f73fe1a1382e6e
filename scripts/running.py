"""Programs that run while a check needs them."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

WORKSPACE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCAL = os.path.join(
    os.environ.get("CARGO_TARGET_DIR", os.path.join(WORKSPACE, "target")), "debug", "local"
)
# Below the ports that systems give to outgoing connections, so that nothing
# takes one between the look and the use.
PORTS = range(12000, 32000)

_given = set()
_lock = threading.Lock()


def free_port():
    """A port that nobody listens on, and that was not given out before."""
    with _lock:
        while True:
            port = random.choice(PORTS)
            if port in _given:
                continue
            _given.add(port)
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def bare_environment(**more):
    """This environment without the caller's AWS account and proxy."""
    foreign = re.compile("aws_|.*_proxy$", re.IGNORECASE)
    kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return kept | more


def function_environment(name, database, memory, **more):
    """What Lambda and the template set for a function, on this database."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": database,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "TABLE_NAME": "Table",
    } | more


def end_on_signals():
    """Turns a request to end into an exception, so that `running` cleans up."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _: sys.exit(128 + number))


@contextlib.contextmanager
def running(command, port, env=None, log=None):
    """The command while the block runs, once it listens on the port.

    It has a process group of its own, which ends as a whole.
    """
    output = log or subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        env=env,
        cwd=WORKSPACE,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        _await(process, command[0], port)
        yield process
    finally:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        _signal(process, signal.SIGKILL)
        process.wait()


def _await(process, name, port):
    end = time.monotonic() + 60
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if time.monotonic() > end:
            raise RuntimeError(f"{name} does not listen on port {port}")
        time.sleep(0.02)


def _signal(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
