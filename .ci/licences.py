"""Every dependency comes from crates.io and has a licence that fits MIT OR Apache-2.0."""
import json
import re
import subprocess
import sys

ALLOWED = {
    "MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "0BSD",
    "Unicode-3.0", "Unlicense", "CC0-1.0", "MIT-0", "BSL-1.0", "CDLA-Permissive-2.0",
}


def fits(expression: str) -> bool:
    """An SPDX expression: any alternative of OR, every part of AND."""
    text = expression.replace("/", " OR ")
    text = re.sub(r"[()]", lambda m: f" {m.group(0)} ", text)

    def parse_or(tokens):
        result = parse_and(tokens)
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            result = parse_and(tokens) or result
        return result

    def parse_and(tokens):
        result = parse_one(tokens)
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            result = parse_one(tokens) and result
        return result

    def parse_one(tokens):
        if tokens[0] == "(":
            tokens.pop(0)
            result = parse_or(tokens)
            tokens.pop(0)
            return result
        name = tokens.pop(0)
        if tokens[:1] == ["WITH"]:
            name = f"{name} WITH {tokens[1]}"
            del tokens[:2]
        return name in ALLOWED

    return parse_or(text.split())


metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--format-version", "1", "--locked"]))
wrong = []
for package in metadata["packages"]:
    if package["source"] is None:
        continue
    if not package["source"].startswith("registry+"):
        wrong.append(f"{package['name']} does not come from the registry: {package['source']}")
    if not package["license"] or not fits(package["license"]):
        wrong.append(f"{package['name']} {package['version']}: licence {package['license']}")
if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(metadata['packages'])} packages, all licences fit")
