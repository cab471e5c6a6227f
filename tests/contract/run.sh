#!/usr/bin/env bash
# Every request of the sandbox runs, and those that documents send, against the vendors' OpenAPI documents. Usage: run.sh [FOLDER WITH DOCUMENTS]
set -euo pipefail
cd "$(dirname "$0")/../.."
documents=${1:-../shared/apis}
bin=${MAPENGINE:-target/debug/mapengine}
if ! [ -f "$documents/severa-openapi.json.gz" ]; then
  echo "contract check skipped: no documents in $documents"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet jsonschema pyyaml
"$bin" run mappings/financials.yaml --fresh --log-requests "$work/requests.jsonl" > /dev/null
for _ in 2 3 4; do
  "$bin" run mappings/financials.yaml --log-requests "$work/requests.jsonl" > /dev/null
done
# what documents send; tests/documents_in_systems.rs holds that these are the engine's requests
cat tests/contract/documents.jsonl >> "$work/requests.jsonl"
"$work/venv/bin/python" tests/contract/check.py "$documents" "$work/requests.jsonl"
