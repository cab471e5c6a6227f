"""Holds every logged request against the OpenAPI document of its system.

Path, query parameters and body must be in the document. Where the document is older than the facts, the difference
stands in differences.yaml with its source; an entry that nothing needs is an error, too.
"""
import gzip
import json
import re
import sys
from pathlib import Path

import jsonschema
import yaml

folder, log = Path(sys.argv[1]), Path(sys.argv[2])
here = Path(__file__).parent
differences = yaml.safe_load((here / "differences.yaml").read_text())


class Document:
    def __init__(self, name, rules):
        self.name = name
        with gzip.open(folder / f"{name}-openapi.json.gz") as file:
            self.doc = json.load(file)
        self.prefix = rules.get("prefix", "")
        self.paths = []
        for template, item in self.doc["paths"].items():
            pattern = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
            pattern = re.sub(r"{[^}]+}", "[^/]+", pattern)
            literal = len(re.sub(r"{[^}]+}", "", template))
            self.paths.append((re.compile(f"^{pattern}$", re.I), literal, template, item))
        self.paths.sort(key=lambda entry: -entry[1])

    def find(self, path):
        for pattern, _, template, item in self.paths:
            if pattern.match(self.prefix + path):
                return template, item
        return None, None

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.doc
            for part in schema["$ref"].lstrip("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def strict(self, schema, seen=()):
        """The schema with references written out and unknown properties refused."""
        schema = dict(self.resolve(schema))
        name = id(schema.get("properties"))
        if name in seen:
            return {}
        seen = (*seen, name) if "properties" in schema else seen
        for key in ("allOf", "anyOf", "oneOf"):
            if key in schema:
                parts = [self.strict(part, seen) for part in schema[key]]
                if key == "allOf":
                    merged = {"type": "object", "properties": {}, "required": []}
                    for part in parts:
                        merged["properties"].update(part.get("properties", {}))
                        merged["required"] += part.get("required", [])
                        if part.get("enum"):
                            merged = part
                    schema.pop(key)
                    schema.update(merged)
                else:
                    schema[key] = parts
        if "properties" in schema:
            schema["properties"] = {k: self.strict(v, seen) for k, v in schema["properties"].items()}
            schema["additionalProperties"] = False
        if "items" in schema:
            schema["items"] = self.strict(schema["items"], seen)
        nullable = schema.pop("nullable", False) or schema.pop("x-nullable", False)
        for word in ("format", "readOnly", "xml", "example", "default", "discriminator", "additionalItems"):
            schema.pop(word, None)
        if nullable and schema:
            return {"anyOf": [{"type": "null"}, schema]}
        return schema

    def body_schema(self, operation):
        if "requestBody" in operation:
            content = self.resolve(operation["requestBody"])["content"]
            for kind in ("application/json", "application/json-patch+json", "text/json"):
                if kind in content:
                    return content[kind].get("schema")
        for parameter in operation.get("parameters", []):
            parameter = self.resolve(parameter)
            if parameter.get("in") == "body":
                return parameter.get("schema")
        return None


documents = {name: Document(name, rules or {}) for name, rules in differences["documents"].items()}
allowed = differences.get("allowed", [])
used = set()
problems = {}


def report(call, rule, text):
    for i, entry in enumerate(allowed):
        if entry["system"] == call["system"] and re.search(entry["call"], f"{call['method']} {call['path']}") and re.search(entry["what"], text):
            used.add(i)
            return
    key = f"{call['system']} {call['method']} {re.sub('[0-9a-f-]{36}', '{guid}', call['path'])}: {text}"
    problems.setdefault(key, 0)
    problems[key] += 1


def check(call, document):
    path = call["path"]
    base = differences["documents"][call["system"]] or {}
    if base.get("strip"):
        path = path.removeprefix(base["strip"])
    template, item = document.find(path)
    if item is None:
        return report(call, "path", "the document has no such path")
    operation = item.get(call["method"].lower())
    if operation is None:
        return report(call, "method", f"{template} has no {call['method']}")
    parameters = [document.resolve(p) for p in item.get("parameters", []) + operation.get("parameters", [])]
    known = {p["name"].lower(): p for p in parameters if p.get("in") == "query"}
    for name, value in call["query"]:
        parameter = known.get(name.lower())
        if parameter is None:
            report(call, "query", f"{template} has no parameter {name}")
            continue
        schema = document.resolve(parameter.get("schema", parameter))
        kind = schema.get("items", schema).get("type") if schema.get("type") == "array" else schema.get("type")
        if kind == "integer" and not re.fullmatch(r"-?\d+", value):
            report(call, "query", f"{name} must be an integer")
        if kind == "boolean" and value not in ("true", "false"):
            report(call, "query", f"{name} must be true or false")
        if schema.get("format") == "date-time" and not re.match(r"\d{4}-\d\d-\d\d", value):
            report(call, "query", f"{name} must be a time")
    for name, parameter in known.items():
        if parameter.get("required") and all(sent.lower() != name for sent, _ in call["query"]):
            report(call, "query", f"{template} needs the parameter {parameter['name']}")
    schema = document.body_schema(operation)
    if call["body"] is None:
        return None
    if schema is None:
        return report(call, "body", f"{template} takes no body")
    validator = jsonschema.Draft202012Validator(document.strict(schema))
    for error in validator.iter_errors(call["body"]):
        where = "/".join(str(part) for part in error.absolute_path)
        deepest = error
        while deepest.context:
            deepest = max(deepest.context, key=lambda one: len(one.absolute_path))
        report(call, "body", f"body {where}: {deepest.message[:160]}")
    return None


count = 0
for line in log.read_text().splitlines():
    call = json.loads(line)
    if call["system"] in documents and call["resource"] != "token":
        check(call, documents[call["system"]])
        count += 1
for i, entry in enumerate(allowed):
    if i not in used:
        problems[f"differences.yaml: nothing needs the entry {entry['call']!r} {entry['what']!r}"] = 1
if problems:
    for key, times in sorted(problems.items()):
        print(f"{times:4} × {key}")
    sys.exit(f"{len(problems)} kinds of requests are not in the documents")
print(f"{count} requests are in the documents; {len(allowed)} known differences")
