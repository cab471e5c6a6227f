#!/usr/bin/env python3
"""Runs mappings/examples/redmine_tryton_invoices.yaml against a real Redmine and a real Tryton: what is to be invoiced in Redmine
becomes posted invoices of the ERP, whatever happens in between. Both are looked at by direct HTTP.

    tests/real/invoices.py               install, start, fill, run, kill, look, stop
    tests/real/invoices.py --at DIR      the servers run already, in this folder: use them, and leave them
    tests/real/invoices.py --keep DIR    leave the folder and the servers; stop them with servers.sh stop DIR

The engine is $MAPENGINE, by default target/debug/mapengine. Exit code 0: all as expected.
"""

import collections
import contextlib
import datetime
import decimal
import http.client
import json
import pathlib
import subprocess
import sys
import time
from decimal import Decimal

from between import Between, Killer
from common import ROOT, Engine, Servers, Wrong, brief, changed, check, engine_binary, only, options, running, step, told

MAPPING = ROOT / "mappings/examples/redmine_tryton_invoices.yaml"
CENT = Decimal("0.01")
TAX = Decimal("0.255")
# how far the totals may be apart: as the mapping says
TOLERANCE = Decimal("0.05")
TODAY = datetime.date.today()
# customers: the identifier of the project in Redmine is the code of the party in Tryton
CUSTOMERS = [("raty", "Rautakauppa Räty Oy"), ("nordlys", "Nordlys AS – Ærøskøbing"), ("kahvila", "Kahvila „Kulma” <Oy>")]


def total(rows):
    """What Tryton makes of rows: each is rounded, then the tax of their sum."""
    cents = lambda amount: amount.quantize(CENT, decimal.ROUND_HALF_EVEN)  # noqa: E731
    untaxed = sum(cents(Decimal(hours) * Decimal(price)) for hours, price, _ in rows)
    return untaxed + cents(untaxed * TAX)


class Books:
    """Invoices on either side, by direct HTTP."""

    def __init__(self, servers):
        self.redmine, self.tryton = servers.redmine, servers.tryton
        call = lambda path, key: self.redmine.call("GET", f"/{path}.json")[key]  # noqa: E731
        self.tracker = only([one["id"] for one in call("trackers", "trackers") if one["name"] == "Invoice"], "tracker")
        self.status = {one["name"]: one["id"] for one in call("issue_statuses", "issue_statuses")}
        self.field = {one["name"]: one["id"] for one in call("custom_fields", "custom_fields")}
        self.activity = call("enumerations/time_entry_activities", "time_entry_activities")[0]["id"]
        self.projects = {}

    def customers(self):
        for identifier, name in CUSTOMERS:
            project = {"identifier": identifier, "name": name, "tracker_ids": [self.tracker]}
            self.projects[identifier] = self.redmine.call("POST", "/projects.json", {"project": project})["project"]["id"]
            address = {"street": "Testikatu 1", "city": "Oulu", "invoice": True}
            self.tryton.call("POST", "/party.party", {"name": name, "code": identifier, "addresses": [["create", [address]]]})

    def invoice(self, customer, subject, rows, amount=None):
        """A new invoice of Redmine that is to be invoiced; `amount` is what a person says that it comes to."""
        amount = total(rows) if amount is None else amount
        values = {"Invoice date": TODAY.isoformat(), "Invoice total": str(amount)}
        issue = self.redmine.call("POST", "/issues.json", {"issue": {
            "project_id": self.projects[customer], "tracker_id": self.tracker, "subject": subject, "custom_fields": self.fields(values),
        }})["issue"]
        for hours, price, comment in rows:
            self.redmine.call("POST", "/time_entries.json", {"time_entry": {
                "issue_id": issue["id"], "hours": hours, "activity_id": self.activity, "spent_on": TODAY.isoformat(), "comments": comment,
                "custom_fields": self.fields({"Price": price}),
            }})
        self.edit(issue["id"], "To be invoiced")
        return {"id": issue["id"], "customer": customer, "rows": rows, "amount": amount}

    def fields(self, values):
        return [{"id": self.field[name], "value": value} for name, value in values.items()]

    def edit(self, id, status, **values):
        values = {name.replace("_", " "): value for name, value in values.items()}
        self.redmine.call("PUT", f"/issues/{id}.json", {"issue": {"status_id": self.status[status], "custom_fields": self.fields(values)}})
        check(self.issue(id)["status"]["name"] == status, f"Redmine's workflow does not lead to {status!r}")

    def issue(self, id):
        issue = self.redmine.call("GET", f"/issues/{id}.json")["issue"]
        issue["values"] = {field["name"]: field["value"] for field in issue["custom_fields"]}
        return issue

    def made(self, invoice=None):
        """The invoices that the ERP holds of one of Redmine's, or all of them."""
        fields = (
            "number", "state", "reference", "type", "party.code", "invoice_address.party", "invoice_date", "untaxed_amount", "total_amount",
            "lines.description", "lines.quantity", "lines.unit_price", "lines.account.code", "lines.taxes",
        )
        held = self.tryton.all("account.invoice", *fields)
        return [one for one in held if invoice is None or one["reference"] == f"redmine:{invoice['id']}"]

    def records(self):
        """Everything that both hold of invoices, with the times of change."""
        kinds = {
            "Redmine issue": self.redmine.all("issues", [("status_id", "*")]), "Redmine hours": self.redmine.all("time_entries"),
            "Tryton invoice": self.made(),
        }
        return {f"{kind} {record['id']}": record for kind, records in kinds.items() for record in records}

    def look(self, invoice):
        """It is in the ERP once, as it should be, posted; and Redmine knows its number."""
        what = f"invoice {invoice['id']}"
        made, issue = only(self.made(invoice), f"{what} in Tryton"), self.issue(invoice["id"])
        check((made["type"], made["state"]) == ("out", "posted"), f"{what} is {made['type']}, {made['state']}")
        check(made["party"]["code"] == invoice["customer"], f"{what} went to {made['party']}")
        date = made["invoice_date"]
        check(datetime.date(date["year"], date["month"], date["day"]) == TODAY, f"{what} has the date {date}")
        lines = sorted(made["lines"], key=lambda one: one["id"])
        lines = [(Decimal(str(one["quantity"])), Decimal(one["unit_price"]["decimal"]), one["description"]) for one in lines]
        wanted = [(Decimal(hours), Decimal(price), comment) for hours, price, comment in invoice["rows"]]
        check(lines == wanted, f"{what} has the rows {lines}, not {wanted}")
        check(all(one["account"]["code"] == "4.1.1" and len(one["taxes"]) == 1 for one in made["lines"]), f"{what}: {made['lines']}")
        amount = Decimal(made["total_amount"]["decimal"])
        check(amount == total(invoice["rows"]), f"{what} comes to {amount} in Tryton, {total(invoice['rows'])} was expected")
        check(abs(amount - Decimal(issue["values"]["Invoice total"])) <= TOLERANCE, f"{what}: {amount} in Tryton, {issue['values']} in Redmine")
        check(issue["status"]["name"] == "Invoiced", f"{what} is {issue['status']['name']} in Redmine")
        number = issue["values"]["Invoice number"]
        check(made["number"] and number == made["number"], f"{what} has the number {made['number']} in Tryton, {number} in Redmine")

    def look_failed(self, invoice):
        """Nothing of it is left in the ERP, and Redmine says that it failed."""
        check(self.made(invoice) == [], f"invoice {invoice['id']} was to be taken back: {self.made(invoice)}")
        issue = self.issue(invoice["id"])
        check(issue["status"]["name"] == "Invoicing failed", f"invoice {invoice['id']} is {issue['status']['name']}")
        check(not issue["values"]["Invoice number"], f"what failed has a number: {issue['values']}")

    def look_at_all(self, right, wrong):
        """None twice, none lost, none of which Redmine does not know; and the numbers have no gap and no twin."""
        for invoice in right:
            self.look(invoice)
        for invoice in wrong:
            self.look_failed(invoice)
        held = self.made()
        check(sorted(one["reference"] for one in held) == sorted(f"redmine:{one['id']}" for one in right), f"Tryton holds {[one['reference'] for one in held]}")
        numbers = sorted(int(one["number"]) for one in held)
        check(numbers == list(range(1, len(held) + 1)), f"the numbers are {numbers}")


@contextlib.contextmanager
def nobody_deletes(tryton):
    """A rule of the ERP's own: no user may delete an invoice."""
    rule = tryton.call("POST", "/ir.rule.group", {
        "name": "Invoices are kept", "model": "account.invoice", "global_p": True,
        "perm_read": False, "perm_write": False, "perm_create": False, "perm_delete": True,
        "rules": [["create", [{"domain": '[["id", "<", 0]]'}]]],
    })
    yield
    tryton.call("DELETE", f"/ir.rule.group/{rule['id']}")


def reason(report, words):
    """The one reason among what is set aside that holds these words."""
    return only([one["reason"] for one in report["set_aside"] if all(word in one["reason"] for word in words)], f"reason with {words} in {brief(report)}")


def what_happens_to_invoices(engine, books):
    connection = engine.connection()
    right = [
        books.invoice("raty", "Lokakuu", [("3", "33.335", "Työ")]),                             # 100.005: the ERP rounds
        books.invoice("nordlys", "Kai Ø", [("1.25", "80", "Rådgivning"), ("0.1", "99.9999", "Møte"), ("7.5", "112.5", "Bygging – „B”"), ("0.5", "0", "Gratis")]),
        # a person has added it up otherwise: within what is allowed
        books.invoice("raty", "Pyöristys", [("1", "39.84", "Työ")], amount=total([("1", "39.84", "")]) + TOLERANCE),
    ]
    one = [("2", "50", "Työ")]
    wrong = books.invoice("kahvila", "Väärä summa", one, amount=total(one) + TOLERANCE + CENT)
    empty = books.invoice("kahvila", "Ei tunteja", [], amount=Decimal("10.00"))

    # 3: done, but two of them need a person
    report = engine.run(connection, {3})
    engine.count(report, customers={"linked": 3}, invoices={"created": 3, "set_aside": 2})
    why = reason(report, ["0.06 apart", "125.56 in redmine", "125.50 in tryton", "it was deleted again"])
    reason(report, ["No time is spent on it"])
    books.look_at_all(right, [wrong, empty])
    step(f"invoices: rows, totals, numbers and statuses are right ({report['writes']} writes, {report['seconds']:.1f} s)")
    step(f"invoices: what does not fit was taken back: {why}")

    before = books.records()
    report = engine.run(connection, {0, 3})
    check(report["writes"] == 0, f"nothing was to do: {brief(report)}")
    check((there := changed(before, books.records())) == [], f"nothing was to do, but these were changed: {there}")
    step("invoices: the second run wrote nothing")

    with nobody_deletes(books.tryton):
        kept = books.invoice("nordlys", "Blir stående", one, amount=Decimal("99.00"))
        report = engine.run(connection, {3})
        why = reason(report, ["26.50 apart", "99.00 in redmine", "125.50 in tryton", "could not be taken back", "You are not allowed to delete"])
        check(books.issue(kept["id"])["status"]["name"] == "To be invoiced", "its status waits for a person")
        # a person is needed: nothing is made or deleted by itself
        engine.run(connection, {3})
        check(only(books.made(kept), "draft in Tryton")["state"] == "draft", f"it must stay as it is: {books.made(kept)}")
        step(f"invoices: held, because Tryton refuses to delete: {why}")
    report = engine.run(connection, {3}, verb="retry")
    reason(report, ["99.00 in redmine", "125.50 in tryton", "it was deleted again"])
    books.look_at_all(right, [wrong, empty, kept])

    for invoice in (wrong, kept):
        books.edit(invoice["id"], "To be invoiced", Invoice_total=str(total(one)))
    report = engine.run(connection, {0, 3})
    engine.count(report, invoices={"created": 2})
    books.look_at_all([*right, wrong, kept], [empty])
    check(engine.run(connection, {0, 3})["writes"] == 0, "nothing was to do")
    step("invoices: mended, they went; then nothing was left to do")
    return [*right, wrong, kept], [empty]


HOWS = ("before", "after", "late")
# 32 points: three of each kind at the writes of a document's life, one of each where it is taken back, and two reads of one record
POINTS = {"create": HOWS * 3, "post": HOWS * 3, "update": HOWS * 3, "delete": HOWS, "read": ("before", "after")}
# how long a write without an answer is left alone; what is late arrives well before
SETTLE = 10


def killed(folder, engine, servers, books, right, failed):
    """A fresh run of several invoices, killed at 32 points and started again, until nothing is left to do."""
    killer = Killer(POINTS)
    redmine, tryton = Between(servers.env["REDMINE_URL"], killer), Between(servers.env["TRYTON_URL"], killer)
    # a state of its own, which knows nothing of the runs before
    connection = engine.connection("killed", state="killed", settle_after=f"{SETTLE}s", REDMINE_URL=redmine.url, TRYTON_URL=tryton.url)
    rows = [("1.5", "64.25", "Työ"), ("0.75", "88.8", "Matka")]
    wrong = [books.invoice("kahvila", f"Väärä {n}", rows, amount=Decimal("1.00")) for n in range(3)]
    new = [books.invoice(CUSTOMERS[n % 3][0], f"Lasku {n}", [*rows, (str(n + 1), "71.1111", "Lisää")]) for n in range(9)]

    begun, starts, hits, said = time.monotonic(), 0, [], folder / "killed.txt"
    said.touch()
    while killer.left():
        check(starts < 120, f"only {len(hits)} points were met: {collections.Counter(hits)}\n{said.read_text()[-4000:]}")
        starts += 1
        killer.wait_for(older_than=SETTLE / 2)
        killer.begin()
        with open(said, "w") as out:
            killer.process = subprocess.Popen(engine.command(connection), stdout=out, stderr=out)
            code = killer.process.wait(timeout=300)
        # the check of the check: what was to be killed was killed; a start that met no point waits for the settle time
        wanted = {-9} if killer.hit else {0, 3}
        check(code in wanted, f"start {starts} met {killer.hit} and ended with {code}:\n{said.read_text()[-4000:]}")
        if killer.hit:
            hits.append(killer.hit)
        else:
            time.sleep(1)
    check(len(hits) == 32 and len(set(hits)) == 14, f"{len(hits)} kills at {set(hits)}")
    killer.wait_for()
    step(f"invoices: kill -9 at {len(hits)} points of {starts} starts ({time.monotonic() - begun:.0f} s)")

    for runs in range(1, 31):
        report = engine.run(connection, {0, 3})
        if report["writes"] == 0 and not report["in_doubt"] and not report["waiting"]:
            break
        time.sleep(2)
    else:
        raise Wrong(f"it does not come to rest: {brief(report)}")
    books.look_at_all([*right, *new], [*failed, *wrong])
    before = books.records()
    check(engine.run(connection, {0, 3})["writes"] == 0, "nothing was to do")
    check((there := changed(before, books.records())) == [], f"nothing was to do, but these were changed: {there}")
    step(f"invoices: {len(new)} of {len(new)} went, {len(wrong)} were taken back: 0 twice, 0 lost ({runs} more runs)")
    a_naive_writer_is_caught(books, killer, [*right, *new], [*failed, *wrong])


def a_naive_writer_is_caught(books, killer, right, failed):
    """Who sends again what had no answer makes a twin, who does not send it loses it: the check that found nothing wrong must see both."""
    def must_see(what, words, right):
        try:
            books.look_at_all(right, failed)
        except Wrong as found:
            check(words in str(found), f"a {what} was seen as something else: {found}")
            step(f"invoices: the same check sees a naive writer's {what}: {str(found)[:70]} …")
        else:
            raise Wrong(f"the check does not see a {what}")

    # it was made, and nobody heard the answer; the ERP takes it a second time
    to, path, headers, body = next((to, path, headers, body) for to, call, path, headers, body in killer.unanswered if call == "create")
    connection = http.client.HTTPConnection(to.hostname, to.port, timeout=60)
    connection.request("POST", path, body, headers)
    twin = json.loads(connection.getresponse().read())["id"]
    connection.close()
    fits = json.loads(body)["reference"] in [f"redmine:{one['id']}" for one in right]
    must_see("twin", "one was expected, there are 2" if fits else "was to be taken back", right)
    books.tryton.call("DELETE", f"/account.invoice/{twin}")
    books.look_at_all(right, failed)
    lost = books.invoice("raty", "Hukassa", [("1", "1", "Työ")])
    must_see("loss", "one was expected, there are 0", [*right, lost])


def main():
    commands = options(__doc__)
    commands.add_argument("--at", metavar="DIR", type=pathlib.Path, help="the servers run already, in this folder: use them, and leave them")
    chosen = commands.parse_args()
    binary = engine_binary()

    def tests():
        there = contextlib.nullcontext((chosen.at, Servers(chosen.at))) if chosen.at else running(chosen.keep)
        with there as (folder, servers):
            books = Books(servers)
            books.customers()
            settings = {"receivable_account": "1.2.1", "revenue_account": "4.1.1", "tax": "25.5 %", "number_field": str(books.field["Invoice number"])}
            engine = Engine(folder, servers, binary, MAPPING, **settings)
            killed(folder, engine, servers, books, *what_happens_to_invoices(engine, books))

    return told(tests)


if __name__ == "__main__":
    sys.exit(main())
