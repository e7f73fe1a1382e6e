#!/usr/bin/env python3
"""Drops every guard of the table, one at a time, and names the test that notices.

A guard is a condition of a write, a consistent read, a rule of what may be sent
again, or a check of the planner. They are found in the sources by the patterns
below, so that one that is added is tried without being listed. Each is dropped
in a copy of the checkout and the tests are run until one fails. A guard that
nobody misses is an error. The whole takes an hour.

    scripts/mutants.py --list
    scripts/mutants.py --check
    scripts/mutants.py [--write] [--only TEXT]...

--check only compares the guards of the sources with those of docs/bulk.md;
--write puts the result there; --only takes the guards whose name contains a TEXT,
and keeps the others of the page as they are.
"""

import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/bulk.md"
BEGIN, END = "<!-- guards -->\n", "<!-- end of guards -->"

# Kind of guard, files, what it looks like, and what stands there without it.
PATTERNS = [
    # A condition that an action of a transaction carries.
    ("condition", "shared/src/table/action.rs", r"\w+\.require_\w+\([^;]*\);", ""),
    ("condition", "shared/src/table/action.rs", r"require_groups_rev\([^;{]*\);", ""),
    ("condition", "shared/src/table/action.rs", r"(?<!fn )\babsent\(\)", "Expression::default()"),
    ("condition", "shared/src/table/action.rs", r"\.set_condition_expression\([^\n]*\)\n", "\n"),
    # What a join brings along.
    ("condition", "shared/src/table/action.rs", r"if after\.rev != before\.rev \{", "if true {"),
    # What keeps the revision in it for those who rest on it.
    ("condition", "shared/src/table/action.rs", r" && !exact", ""),
    ("condition", "shared/src/table/change.rs", r"\*exact \|= checked;", "let _ = (exact, checked);"),
    ("condition", "shared/src/plan/world/changes.rs", r"exact: self\.guarded[^\n]*", "exact: false,"),
    # A condition of a write of its own: true whatever is there.
    (
        "condition",
        "shared/src/store/*.rs",
        r'\.condition_expression\(\s*"[^#"]*(#\w+)(?:[^"\\]|\\.)*',
        r"\g<0> OR attribute_exists(\1) OR attribute_not_exists(\1)",
    ),
    ("condition", "shared/src/store/*.rs", r"if_not_exists\((#\w+), (:\w+)\)", r"\2"),
    # A read that must see the last write.
    ("consistent read", "shared/src/store/*.rs", r"\.consistent_read\(true\)", ".consistent_read(false)"),
    # What an answer means, and what is sent again.
    ("retry", "shared/src/store/commit.rs", r"(?<==> )Answer::Unknown(?=,)", "Answer::Again { settles: true }"),
    ("retry", "shared/src/store/commit.rs", r"return Answer::Unknown", "return Answer::Again { settles: true }"),
    ("retry", "shared/src/store/commit.rs", r"Answer::Again \{ settles: false \}", "Answer::Again { settles: true }"),
    ("retry", "shared/src/store/commit.rs", r"Answer::Unknown => unsettled = true", "Answer::Unknown => {}"),
    ("retry", "shared/src/store/commit.rs", r"unsettled && !settles", "false"),
    ("retry", "shared/src/store/commit.rs", r"!codes\.contains\(&\"TransactionConflict\"\)", "true"),
    ("retry", "shared/src/store/commit.rs", r"if !failed\.is_empty\(\)", "if false"),
    ("retry", "shared/src/store/commit.rs", r"\.client_request_token\(token\)", ""),
    ("retry", "shared/src/store/commit.rs", r"if unsettled \{ deadline \} else \{ last_start \}", "last_start"),
    ("retry", "shared/src/store/{commit,record}.rs", r'"[A-Z]\w+(?:Exception|Error|Exceeded|Conflict|Unavailable)"(?=,|\n| =>| \|)', '"Nothing"'),
    ("retry", "shared/src/store/read.rs", r"left\.flat_map\(\|left\| left\.keys\)\.collect\(\)", "{ drop(left); Vec::new() }"),
    ("retry", "shared/src/store/retry.rs", r"!error\.is_transient\(\)", "true"),
    ("retry", "shared/src/store/retry.rs", r"next >= self\.limit\(\)", "false"),
    ("retry", "shared/src/store/retry.rs", r"self\.deadline <= Instant::now\(\)", "false"),
    ("retry", "shared/src/store/mod.rs", r'"[A-Z]\w+(?:Exception|Error|Exceeded|Unavailable)"(?=,|\])', '"Nothing"'),
    ("retry", "shared/src/store/mod.rs", r"Self::Throttled \| Self::Torn => true", "Self::Throttled | Self::Torn => false"),
    ("retry", "shared/src/store/read.rs", r"retry\.again\(StoreError::Throttled\)\.await\?;", "break;"),
    ("check", "shared/src/store/members.rs", r"header\.shows_all\(&members\)", "true"),
    # What the planner refuses, what it waits for, and how much it packs.
    ("check", "shared/src/plan/**/*.rs", r"if (?!let)((?:(?!=>)[^{;])*?)( =>)? \{(?=(?:[^{}]|\{[^{}]*\})*?\breturn (?:Err|Some)\b)", r"if false && (\1)\2 {"),
    ("check", "shared/src/plan/pack.rs", r"seen\.extend\(last\.writer\);", ""),
    ("check", "shared/src/plan/pack.rs", r"overtaken\.extend\(&last\.readers\);", ""),
    ("check", "shared/src/plan/pack/bin.rs", r"self\.capacity\.actions\.saturating_sub\(taken\)", "usize::MAX - taken"),
    ("check", "shared/src/plan/pack/*.rs", r"<= (?:self\.)?capacity\.(?:actions|bytes)", "<= usize::MAX"),
    ("check", "shared/src/plan/pack/allotment.rs", r"steps\.all\(&undisturbed\)", "true"),
    ("check", "shared/src/plan/pack/allotment.rs", r"bin\.most == usize::MAX", "true"),
    ("check", "shared/src/plan/operation/*.rs", r"rules\.rights\.require\([^;]*;", ""),
    ("check", "shared/src/plan/world/changes.rs", r"changes\.extend\(self\.checked\(&moved\)\);", ""),
    ("check", "shared/src/plan/world/changes.rs", r" \|\| self\.guarded_memberships\.contains\(key\)", ""),
    ("check", "shared/src/plan/mod.rs", r"!steps\.is_empty\(\) && ", ""),
    ("check", "shared/src/plan/mod.rs", r"\(job\.enough\)\(bytes\)", "false"),
    ("check", "shared/src/plan/mod.rs", r"failures >= limit\.get\(\)", "false"),
    ("check", "shared/src/plan/simulate/members.rs", r"item::check_joined\(&changed\)\?;", ""),
    ("check", "shared/src/plan/simulate.rs", r"item::check_size\(&\w+\)\?;", ""),
    ("check", "shared/src/plan/{simulate,simulate/members}.rs", r"world\.guard(?:_membership)?\([^;)]*\)", "()"),
    ("check", "shared/src/plan/simulate/values.rs", r"found\.filter\(\|owner\| \*owner != id\)", "None"),
    ("check", "shared/src/plan/simulate/members.rs", r"world\.toggle_member\([^;]*\);", ""),
    ("check", "shared/src/plan/simulate/members.rs", r"changed\.groups_rev = [^;]*;", ""),
]

# Fast ones first; the run of a guard ends with the first that fails.
SUITES = [
    ["--package", "shared", "--lib"],
    ["--workspace", "--test", "it", "--", "invariants", "bulk::", "groups", "users", "atomicity", "cursors"],
    ["--workspace", "--test", "it", "--", "deadlines", "limits", "passwords", "idempotency", "cost", "versions", "stack"],
    ["--workspace", "--test", "it", "--", "faults"],
    ["--workspace", "--test", "it", "--", "oracle", "schedules"],
]

# No suite takes so many seconds; one that does tells nothing.
PATIENCE = 1_800


class Guard:
    def __init__(self, kind, path, start, end, replacement, text):
        self.kind, self.path, self.start, self.end = kind, path, start, end
        self.replacement = replacement
        line = text.count("\n", 0, start)
        self.function = next(
            (found for found in reversed(re.findall(r"\bfn (\w+)", text[:start]))), "top"
        )
        self.line = line + 1
        self.ordinal = 1
        self.dropped = " ".join(text[start:end].split())

    @property
    def name(self):
        short = self.dropped if len(self.dropped) <= 70 else self.dropped[:67] + "..."
        place = self.path.removeprefix("shared/src/")
        name = f"{self.kind} | `{place}: {self.function}` | `{short}`"
        again = f" (the {self.ordinal}. time)" if self.ordinal > 1 else ""
        return name.replace(" || ", " or ") + again


def files(pattern):
    braces = re.search(r"\{([^}]*)\}", pattern)
    if braces:
        for part in braces.group(1).split(","):
            yield from files(pattern.replace(braces.group(0), part))
        return
    for path in sorted(ROOT.glob(pattern)):
        if "tests" not in path.name and path.name not in ("scripted.rs",):
            yield path


def guards():
    found = []
    for kind, pattern, guard, replacement in PATTERNS:
        before = len(found)
        for path in files(pattern):
            text = path.read_text()
            code = text.split("#[cfg(test)]\nmod tests {")[0]
            for match in re.finditer(guard, code):
                line = code[code.rfind("\n", 0, match.start()) + 1 : match.start()]
                if "//" in line:
                    continue
                found.append(
                    Guard(
                        kind,
                        str(path.relative_to(ROOT)),
                        match.start(),
                        match.end(),
                        match.expand(replacement),
                        code,
                    )
                )
        if len(found) == before:
            sys.exit(f"error: no guard looks like {guard} in {pattern} any more")
    seen = collections.Counter()
    for guard in found:
        seen[guard.name] += 1
        guard.ordinal = seen[guard.name]
    return found


def notice(guard, copy):
    """The first test that fails without the guard."""
    path = copy / guard.path
    text = path.read_text()
    path.write_text(text[: guard.start] + guard.replacement + text[guard.end :])
    try:
        for suite in SUITES:
            try:
                run = subprocess.run(
                    ["cargo", "test", "--quiet", *suite],
                    cwd=copy,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                )
            except subprocess.TimeoutExpired:
                sys.exit(f"error: without {guard.name} {suite} does not end in {PATIENCE} s")
            if "could not compile" in run.stderr:
                sys.exit(f"error: without {guard.name} nothing is built:\n{run.stderr[-2000:]}")
            failed = re.findall(r"^---- (\S+) stdout ----$", run.stdout, re.MULTILINE)
            if failed:
                return failed[0]
            if run.returncode:
                sys.exit(f"error: {suite} ended without a failing test:\n{run.stderr[-2000:]}")
        return None
    finally:
        path.write_text(text)


def listed():
    """The rows of the page, by guard."""
    page = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = [line[2:-2].rsplit(" | ", 1) for line in page.splitlines()[2:]]
    return {name: test for name, test in rows}


def check():
    found, page = {guard.name for guard in guards()}, set(listed())
    for name in sorted(found - page):
        print(f"not on the page: {name}")
    for name in sorted(page - found):
        print(f"not in the sources: {name}")
    if found != page:
        sys.exit("error: docs/bulk.md lists other guards than the sources have")


def write(rows):
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    table = "| Guard | Where | Dropped | Noticed by |\n|---|---|---|---|\n"
    table += "".join(f"| {row} |\n" for row in rows)
    PAGE.write_text(head + BEGIN + table + END + tail)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", action="append", metavar="TEXT")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    texts = arguments.only or [""]
    chosen = [guard for guard in guards() if any(text in guard.name for text in texts)]
    if arguments.list:
        for guard in chosen:
            print(f"{guard.path}:{guard.line}: {guard.kind}: {guard.dropped}")
        print(f"{len(chosen)} guards")
        return
    rows, survivors = {}, []
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        ignored = shutil.ignore_patterns("target", ".git", ".venv", ".aws-sam")
        shutil.copytree(ROOT, copy, ignore=ignored)
        for guard in chosen:
            test = notice(guard, copy)
            print(f"{guard.name}: {test or 'NOBODY'}", flush=True)
            if test is None:
                survivors.append(guard)
            rows[guard.name] = f"`{test}`" if test else "**nobody**"
    if arguments.write:
        known = {**listed(), **rows}
        names = dict.fromkeys(guard.name for guard in guards())
        write([f"{name} | {known.get(name, '**not tried**')}" for name in names])
    if survivors:
        sys.exit(f"error: nobody misses {len(survivors)} of {len(chosen)} guards")


if __name__ == "__main__":
    main()
