#!/usr/bin/env python3
"""Runs mappings/examples/redmine_tryton.yaml against a real Redmine and a real Tryton, and looks at both by direct HTTP.

    tests/real/run.py                    install, start, fill, run, look, stop
    tests/real/run.py --servers-only     the same without the engine: are the servers and the first records as expected?
    tests/real/run.py --keep DIR         leave the folder (addresses, keys, state, reports) and the servers; stop them with servers.sh stop DIR

The engine is $MAPENGINE, by default target/debug/mapengine. Exit code 0: all as expected.
"""

import json
import pathlib
import sys
import time

from common import ROOT, Engine, brief, changed, check, engine_binary, only, options, running, step, told

MAPPING = ROOT / "mappings/examples/redmine_tryton.yaml"

# login, first name, last name: twelve people of Redmine; their address is login@example.com
USERS = [
    ("maija", "Maija", "Mäkinen"), ("ake", "Åke", "Öström"), ("zoe", "Zoë", "Nuñez"), ("xiaolong", "小龍", "李"),
    ("anna.maria", "Anna Maria", "Korhonen"), ("oyvind", "Øyvind", "Bjørnsen"), ("sinead", "Sinéad", "O'Connor"),
    ("jon_s", "Jón", "Þórsson"), ("pekka", "Pekka", "Virtanen"), ("liisa", "Liisa", "Lehtonen"),
    ("ville", "Ville", "Niemi"), ("kaksonen", "Kaisa", "Kaksonen"),
]
# parties of Tryton: code (None: by its series), name, address (None: none)
PARTIES = [
    ("pekka", "Pekka Virtanen", "pekka@example.com"),      # known by code
    ("liisa", "Liisa Lehtonen", "liisa@example.com"),      # known by code
    (None, "Ville Niemi", "VILLE@example.com"),            # known by address, written with other letters
    (None, "Kaksonen Kaisa", "kaksonen@example.com"),      # two with one address: nobody can know which
    (None, "K. Kaksonen", "kaksonen@example.com"),
    ("tuula", "Tuula Hällström", "tuula@example.com"),  # a person only here
    (None, "Rautakauppa Räty Oy", "info@raty.example"),    # a company: no login
    (None, "Nuohous Nieminen", None),
]
# identifier, name, description: twelve projects of Redmine
PROJECTS = [
    ("intranet", "Intranet", "Uusi etusivu"), ("vag-22", "Väg 22", None), ("cafe", "Café & Baari <uusi>", "Ensimmäinen\nToinen rivi"),
    ("silta", "Silta \"Etelä\"", "50 % valmis"), ("naming", "Ærø–Ærøskøbing", None), ("tokyo", "東京オフィス", "移転"),
    ("varasto", "Varasto", "Hyllyt"), ("hr", "Rekrytointi 2026", None), ("qa", "Testaus", None),
    ("siirto", "Siirto pilveen", "Vaihe 1"), ("koulutus", "Koulutus", None), ("twin", "Kaksoset", None),
]
# names and comments of Tryton's projects
WORKS = [
    ("Varasto", "Hyllyt"),           # known by name
    ("REKRYTOINTI 2026", None),      # known by name, written with other letters
    ("Siirto pilveen", None),        # known by name; its comment is filled from Redmine
    ("Kaksoset", None),              # two with one name
    ("Kaksoset", None),
    ("Laskutus Öhman Oy", "Kuukausittain"), ("Tilintarkastus", None), ("Žižkov", "Praha"),
]
AMBIGUOUS = {"kaksonen@example.com", "kaksoset"}


def records(servers):
    """Everything that both hold, with the times of change: kind and id to record."""
    kinds = {
        "Redmine user": servers.redmine.users(), "Redmine project": servers.redmine.all("projects"),
        "Tryton party": servers.tryton.parties(), "Tryton project": servers.tryton.works(),
    }
    return {f"{kind} {record['id']}": record for kind, records in kinds.items() for record in records}


def fill(servers):
    redmine, tryton = servers.redmine, servers.tryton
    for login, first, last in USERS:
        redmine.call("POST", "/users.json", {"user": {"login": login, "firstname": first, "lastname": last, "mail": f"{login}@example.com"}})
    for identifier, name, description in PROJECTS:
        redmine.call("POST", "/projects.json", {"project": {"identifier": identifier, "name": name, "description": description}})
    for code, name, mail in PARTIES:
        tryton.call("POST", "/party.party", {"name": name, **({"code": code} if code else {}), **({"email": mail} if mail else {})})
    for name, comment in WORKS:
        work = tryton.call("POST", "/project.work", {"name": name, "comment": comment, "type": "project"})
    # a task is no project
    tryton.call("POST", "/project.work", {"name": "Koulutus", "type": "task", "parent": work["id"]})


def look_at_first_records(servers):
    """What was filled in is there, and stands alone."""
    redmine, tryton = servers.redmine, servers.tryton
    check(len(redmine.users()) == len(USERS), f"Redmine holds {len(redmine.users())} users")
    check(len(redmine.all("projects")) == len(PROJECTS), "Redmine holds another number of projects")
    # the company itself is a party, too
    check(len(tryton.parties()) == len(PARTIES) + 1, f"Tryton holds {len(tryton.parties())} parties")
    check(len(tryton.works()) == len(WORKS) + 1, f"Tryton holds {len(tryton.works())} works")
    names = {user["lastname"] for user in redmine.users()}
    check({last for _, _, last in USERS} == names, f"names came back changed: {names}")


def look_at_pairs(servers):
    """Both hold everything that travels exactly once, with equal values."""
    redmine, tryton = servers.redmine, servers.tryton
    users, parties = redmine.users(), tryton.parties()
    for user in users:
        mail = user["mail"].casefold()
        if mail in AMBIGUOUS:
            continue
        party = only([p for p in parties if mail in [m.casefold() for m in p["mail"]]], f"party with {mail}")
        name = f"{user['firstname']} {user['lastname']}"
        check(party["name"] == name, f"the party of {mail} is called {party['name']!r}, the user {name!r}")
        check(len(party["mail"]) == 1, f"the party of {mail} has several addresses: {party['mail']}")
        if mail != "ville@example.com":
            check(party["code"] == user["login"], f"the code of {mail} is {party['code']}")
    check(len(users) == len(USERS) + 1, f"one user more was expected in Redmine: {[u['login'] for u in users]}")
    tuula = only([u for u in users if u["login"] == "tuula"], "user tuula")
    check((tuula["firstname"], tuula["lastname"]) == ("Tuula", "Hällström"), f"Tuula's name was split into {tuula}")
    # seven people were new to Tryton: twelve less two by code, one by address, one that is ambiguous; one company is there from the start
    check(len(parties) == 1 + len(PARTIES) + len(USERS) - 4, f"Tryton holds {len(parties)} parties")

    projects, works = redmine.all("projects"), [w for w in tryton.works() if w["type"] == "project"]
    for project in projects:
        name = project["name"].casefold()
        if name in AMBIGUOUS:
            continue
        work = only([w for w in works if w["name"].casefold() == name], f"Tryton project {project['name']!r}")
        check((work["comment"] or "") == (project["description"] or ""), f"{name}: {work['comment']!r} and {project['description']!r}")
        if project["identifier"] not in [identifier for identifier, _, _ in PROJECTS]:
            check(project["identifier"] == f"tryton-{work['number']}", f"{name} has the identifier {project['identifier']}")
            check(project["is_public"] is False, f"{name} is public")
    check(len(projects) == len(PROJECTS) + 3, f"three projects more were expected in Redmine, there are {len(projects)}")
    check(len(works) == len(WORKS) + len(PROJECTS) - 4, f"Tryton holds {len(works)} projects")


def the_first_run(engine, connection, servers):
    # 3: done, but records need a person (the ambiguous ones)
    report = engine.run(connection, {3})
    engine.count(report, users={"linked": 3, "created": 9}, projects={"linked": 3, "created": 11})
    check(report["in_doubt"] == [], f"nothing may be in doubt: {brief(report)}")
    for word in ("aksonen", "Kaksoset"):
        check(word in json.dumps(report["set_aside"], ensure_ascii=False), f"{word} was expected among what is set aside: {brief(report)}")
    look_at_pairs(servers)
    return report


def a_quiet_run(engine, connection, servers):
    before = records(servers)
    report = engine.run(connection, {3})
    check(report["writes"] == 0, f"nothing was to do, but {report['writes']} writes were sent: {brief(report)}")
    check((there := changed(before, records(servers))) == [], f"nothing was to do, but these were changed: {there}")
    return report


def a_wrong_key(engine, servers):
    """Redmine answers a wrong key with 200 and empty lists: that is not "everything was deleted"."""
    before = records(servers)
    engine.run(engine.connection("wrong-key", REDMINE_KEY="0" * 40), {1, 2})
    check((there := changed(before, records(servers))) == [], f"a wrong key must not change anything, but: {there}")


def edits_are_carried(engine, connection, servers):
    redmine, tryton = servers.redmine, servers.tryton
    maija = only([u for u in redmine.users() if u["login"] == "maija"], "user maija")
    work = only([w for w in tryton.works() if w["name"] == "Väg 22"], "Tryton project Väg 22")
    redmine.call("PUT", f"/users/{maija['id']}.json", {"user": {"lastname": "Mäkinen-Åberg"}})
    tryton.call("PUT", f"/project.work/{work['id']}", {"name": "Väg 23 – Ängsö"})
    party = only([p for p in tryton.parties() if p["code"] == "maija"], "party maija")
    project = only([p for p in redmine.all("projects") if p["identifier"] == "vag-22"], "project vag-22")

    before = records(servers)
    report = engine.run(connection, {3})
    after = records(servers)
    expected = sorted([f"Tryton party {party['id']}", f"Redmine project {project['id']}"])
    check((there := changed(before, after)) == expected, f"these were to change: {expected}, these did: {there}\n{brief(report)}")
    check(after[expected[1]]["name"] == "Maija Mäkinen-Åberg", f"the user's new name did not arrive: {after[expected[1]]}")
    check(after[expected[0]]["name"] == "Väg 23 – Ängsö", f"the project's new name did not arrive: {after[expected[0]]}")
    check(report["writes"] == 2, f"two writes were expected: {brief(report)}")
    engine.count(report, users={"updated": 1, "created": 0}, projects={"updated": 1, "created": 0})
    look_at_pairs(servers)
    return report


def with_the_engine(folder, servers, binary, mapping):
    engine = Engine(folder, servers, binary, mapping)
    connection = engine.connection()
    for what, run in [
        ("run 1: what is missing on either side was made, once", the_first_run),
        ("run 2: nothing to do, nothing written", a_quiet_run),
        ("run 3: an edit on either side was carried over, and nothing else", edits_are_carried),
        ("run 4: nothing to do again", a_quiet_run),
    ]:
        report = run(engine, connection, servers)
        step(f"{what} ({report['writes']} writes, {report['seconds']:.1f} s)")
    a_wrong_key(engine, servers)
    step("a wrong key was refused, and nothing was taken for deleted")


def main():
    commands = options(__doc__)
    commands.add_argument("--servers-only", action="store_true", help="without the engine")
    commands.add_argument("--mapping", type=pathlib.Path, default=MAPPING, help="another mapping file")
    chosen = commands.parse_args()
    binary = None if chosen.servers_only else engine_binary()

    def tests():
        with running(chosen.keep) as (folder, servers):
            begun = time.monotonic()
            fill(servers)
            look_at_first_records(servers)
            step(f"filled ({time.monotonic() - begun:.1f} s)")
            if binary:
                with_the_engine(folder, servers, binary, chosen.mapping)

    return told(tests)


if __name__ == "__main__":
    sys.exit(main())
