"""Runs the README's first command, and looks at what it created.

The answer of the bulk request tells the rows. What the group contains is read
from a database that outlives the command, by a second event.
"""

import json
import os
import subprocess
import sys
import tempfile

from running import LOCAL, WORKSPACE, bare_environment, end_on_signals, free_port, running

BULK = "events/bulk-playground-user-and-group.json"
GET = "events/groups-get.json"


def main():
    end_on_signals()
    text = invoke(["cargo", "run", "--", "invoke", BULK], bare_environment())
    print(text, end="")
    created(json.loads(text))

    port = free_port()
    env = bare_environment(AWS_ENDPOINT_URL_DYNAMODB=f"http://127.0.0.1:{port}")
    with running([LOCAL, "dynamodb", "--port", str(port)], port):
        user, group = created(json.loads(invoke([LOCAL, "invoke", BULK], env)))
        members = [member["value"] for member in read(group, env)["members"]]
    if members != [user]:
        sys.exit(f"error: the members are {members} and not the user {user}")
    print(f"ok: rows 201 and 201, and the member of the group is the user {user}")


def created(answer):
    """The ids of the user and the group, if both rows are 201."""
    if answer["statusCode"] != 200:
        sys.exit(f"error: the bulk request was answered {answer['statusCode']}")
    rows = json.loads(answer["body"])["Operations"]
    statuses = [row["status"] for row in rows]
    if statuses != ["201", "201"]:
        sys.exit(f"error: the rows are {statuses} and not two times 201")
    return [row["location"].rsplit("/", 1)[1] for row in rows]


def read(group, env):
    """The group, by the sample event with another id."""
    with open(os.path.join(WORKSPACE, GET), encoding="utf-8") as file:
        text = file.read()
    text = text.replace(json.loads(text)["pathParameters"]["id"], group)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        answer = json.loads(invoke([LOCAL, "invoke", file.name], env))
    if answer["statusCode"] != 200:
        sys.exit(f"error: the group was answered {answer['statusCode']}")
    return json.loads(answer["body"])


def invoke(command, env):
    done = subprocess.run(command, cwd=WORKSPACE, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main()
