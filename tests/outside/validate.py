#!/usr/bin/env python3
"""An outside validator (Python's jsonschema) and an outside YAML reader agree with `mapengine validate` about shape.

Every file that is shipped is accepted by its schema; every sample in tests/rejected that is refused for its shape is
refused. Needs: jsonschema, ruamel.yaml.
"""

import io
import json
import re
import sys
from decimal import Decimal
from pathlib import Path

from jsonschema.validators import validator_for
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

# the order of `FileKind::of`: a connection and cases name their mapping too
KINDS = ["system", "connection", "sandbox", "cases", "mapping"]
# shape: unknown and missing keys, wrong kinds, unknown words
SHAPE = re.compile(r"^error\[ME01(02|03|04|12|13)\]", re.MULTILINE)


def read(path):
    """A file as JSON sees it: by YAML 1.2's core schema, keys as they are written, numbers without rounding."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    yaml.allow_duplicate_keys = True
    text = path.read_text(encoding="utf-8")
    root = yaml.compose(io.StringIO(text))
    return plain(root)


def plain(node):
    if node.id == "mapping":
        return {key.value: plain(value) for key, value in node.value}
    if node.id == "sequence":
        return [plain(item) for item in node.value]
    tag = str(node.tag).rsplit(":", 1)[-1]
    if node.style is not None or tag == "str":
        return node.value
    value = node.value
    if re.fullmatch(r"null|Null|NULL|~|", value):
        return None
    if re.fullmatch(r"true|True|TRUE|false|False|FALSE", value):
        return value.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", value):
        return int(value)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", value):
        return Decimal(value)
    return value


def kind(value):
    return next((kind for kind in KINDS if isinstance(value, dict) and kind in value), "mapping")


def validator(kind):
    schema = json.loads(Path(f"schemas/{kind}.schema.json").read_text(encoding="utf-8"))
    of = validator_for(schema)
    of.check_schema(schema)
    return of(schema)


def yaml_files(*folders):
    return sorted(path for folder in folders for path in Path(folder).rglob("*.yaml"))


def main():
    validators = {kind: validator(kind) for kind in KINDS}
    wrong = []
    accepted = refused = 0
    for path in yaml_files("mappings", "tests/mappings", "tests/systems", "tests/accepted"):
        value = read(path)
        errors = [f"{error.json_path}: {error.message[:200]}" for error in validators[kind(value)].iter_errors(value)]
        if errors:
            wrong.append("\n  ".join([f"{path} is refused:", *errors]))
        accepted += 1
        own = Path(f"schemas/mappings/{path.stem}.schema.json")
        if path.parent == Path("mappings") and own.exists():
            of_it = json.loads(own.read_text(encoding="utf-8"))
            for error in validator_for(of_it)(of_it).iter_errors(value):
                wrong.append(f"{path} is refused by its own schema: {error.json_path}: {error.message[-200:]}")
    for path in yaml_files("tests/rejected"):
        if not SHAPE.search(path.with_suffix(".txt").read_text(encoding="utf-8")):
            continue
        try:
            value = read(path)
        except YAMLError as error:
            wrong.append(f"{path} is no YAML to others: {error}")
            continue
        if validators[kind(value)].is_valid(value):
            wrong.append(f"{path} is accepted by its schema")
        refused += 1
    for schema in sorted(Path("schemas").rglob("*.schema.json")):
        whole = json.loads(schema.read_text(encoding="utf-8"))
        validator_for(whole).check_schema(whole)
    if accepted < 20 or refused < 5:
        wrong.append(f"only {accepted} files and {refused} samples were looked at")
    print("\n".join(wrong), file=sys.stderr) if wrong else None
    print(f"{accepted} files accepted, {refused} samples refused for their shape, {len(wrong)} surprises")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
