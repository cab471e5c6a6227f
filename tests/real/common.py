"""What the scripts of this folder share: two servers spoken to directly, the engine run against them, and how it is told."""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Wrong(Exception):
    """Something is not as expected."""


def check(holds, message):
    if not holds:
        raise Wrong(message)


def only(found, what):
    check(len(found) == 1, f"{what}: one was expected, there are {len(found)}: {found}")
    return found[0]


def step(message):
    print(f"real servers: {message}", file=sys.stderr, flush=True)


class Server:
    """One server, spoken to directly."""

    def __init__(self, url, headers):
        self.url, self.headers = url, headers

    def call(self, method, path, body=None, query=()):
        address = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, {**self.headers, "Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                text = reply.read()
        except urllib.error.HTTPError as error:
            raise Wrong(f"{method} {path} was answered {error.code}: {error.read().decode(errors='replace')[:300]}") from error
        return json.loads(text) if text else None


class Redmine(Server):
    def all(self, path, query=()):
        found = []
        while True:
            page = self.call("GET", f"/{path}.json", query=[*query, ("limit", 100), ("offset", len(found))])
            found += page[path]
            if len(found) >= page["total_count"] or not page[path]:
                return found

    def users(self):
        return [user for user in self.all("users", [("status", "")]) if not user["admin"]]


class Tryton(Server):
    def all(self, model, *fields):
        return self.call("GET", f"/{model}", query=[("f", field) for field in (*fields, "create_date", "write_date")])

    def parties(self):
        """Parties with their addresses; the addresses stand in records of their own."""
        parties = self.all("party.party", "name", "code")
        for party in parties:
            party["mail"] = []
        by_id = {party["id"]: party for party in parties}
        for mechanism in self.all("party.contact_mechanism", "party", "type", "value"):
            if mechanism["type"] == "email":
                by_id[mechanism["party"]]["mail"].append(mechanism["value"])
        return parties

    def works(self):
        return self.all("project.work", "name", "number", "type", "comment", "parent")


class Servers:
    """Both servers, running in a folder."""

    def __init__(self, folder):
        lines = (folder / "env").read_text().split()
        self.env = dict(line.split("=", 1) for line in lines)
        self.redmine = Redmine(self.env["REDMINE_URL"], {"X-Redmine-API-Key": self.env["REDMINE_KEY"]})
        company = int(self.env["TRYTON_COMPANY"])
        context = json.dumps({"company": company, "companies": [company]}).encode()
        self.tryton = Tryton(self.env["TRYTON_URL"], {
            "Authorization": f"Bearer {self.env['TRYTON_KEY']}",
            "X-Tryton-Context": base64.b64encode(context).decode(),
        })


def changed(before, after):
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


class Engine:
    """The engine with one mapping; connections and reports are written to the folder."""

    def __init__(self, folder, servers, binary, mapping, **settings):
        self.folder, self.env, self.binary, self.mapping, self.settings = folder, servers.env, binary, mapping, settings
        self.runs = 0

    def connection(self, name="connection", state="state", settle_after="15m", **other):
        """The file of a connection; `other` differs from what the servers say."""
        env = {**self.env, **other}
        connection = {
            "connection": f"real-{name}",
            "systems": {
                "redmine": {"base_url": env["REDMINE_URL"], "credentials": {"api_key": env["REDMINE_KEY"]}, "settle_after": settle_after},
                "tryton": {
                    "base_url": env["TRYTON_URL"], "credentials": {"key": env["TRYTON_KEY"], "company": env["TRYTON_COMPANY"]},
                    "settle_after": settle_after,
                },
            },
            "settings": self.settings,
            "state": f"sqlite:{self.mapping.stem}-{state}.db",
        }
        file = self.folder / f"{self.mapping.stem}-{name}.yaml"
        file.touch(0o600)
        file.write_text(json.dumps(connection, indent=2))
        return file

    def command(self, connection, verb="run"):
        return [self.binary, verb, self.mapping, "--connection", connection, "--format", "json"]

    def run(self, connection, codes, verb="run"):
        self.runs += 1
        begun = time.monotonic()
        done = subprocess.run(self.command(connection, verb), capture_output=True, text=True, timeout=300)
        (self.folder / f"{self.mapping.stem}-report-{self.runs}.json").write_text(done.stdout)
        check(done.returncode in codes, f"run {self.runs} ended with {done.returncode}, not {codes}:\n{done.stderr[-4000:]}\n{done.stdout[-4000:]}")
        try:
            report = json.loads(done.stdout)
        except ValueError:
            # what is refused before it begins has no report
            report = {}
        report["seconds"] = time.monotonic() - begun
        return report

    def count(self, report, **registers):
        """Each register's counts that are named."""
        for name, wanted in registers.items():
            counts = report["registers"][name]
            for word, number in wanted.items():
                check(counts.get(word) == number, f"run {self.runs}: {name}: {number} {word} were expected: {counts}\n{brief(report)}")


def brief(report):
    return json.dumps({key: report.get(key) for key in ("writes", "set_aside", "waiting", "in_doubt", "notes", "refused")}, ensure_ascii=False)[:4000]


def options(doc):
    """The command line that the scripts have in common."""
    options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="leave this folder and the servers")
    return options


def engine_binary():
    binary = os.environ.get("MAPENGINE", str(ROOT / "target/debug/mapengine"))
    if shutil.which(binary) is None:
        sys.exit(f"real servers: {binary} is not there: build it, or say where it is with MAPENGINE")
    return binary


@contextlib.contextmanager
def running(keep=None):
    """Both servers in a folder, started and stopped here; with `keep` the folder and the servers are left."""
    # ends the servers, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = keep or pathlib.Path(tempfile.mkdtemp(prefix="mapengine-real-"))
    script = str(HERE / "servers.sh")
    try:
        begun = time.monotonic()
        if subprocess.run([script, "start", str(folder)]).returncode != 0:
            sys.exit("real servers: they did not start; see above")
        step(f"started ({time.monotonic() - begun:.1f} s)")
        yield folder, Servers(folder)
    finally:
        if not keep:
            subprocess.run([script, "stop", str(folder)])
            shutil.rmtree(folder, ignore_errors=True)


def told(tests):
    """Runs what is tested; answers the exit code."""
    try:
        tests()
    except Wrong as wrong:
        step(f"WRONG: {wrong}")
        return 1
    step("all as expected")
    return 0
