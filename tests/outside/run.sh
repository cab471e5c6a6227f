#!/usr/bin/env bash
# Every file of ours against schemas/, by a validator and a YAML reader that are not ours. Needs Python 3 and pip.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'jsonschema>=4.23,<5' 'ruamel.yaml>=0.18,<0.20'
"$work/venv/bin/python" tests/outside/validate.py
