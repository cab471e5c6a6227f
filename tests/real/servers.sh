#!/usr/bin/env bash
# Two real servers for the engine: Redmine 5 (from Debian) and Tryton 8.2 (from PyPI), each with a database of its own in DIR.
#
#   servers.sh install      what is missing: Debian packages (as root), Tryton in a cache folder, two filled databases there
#   servers.sh start DIR    both on free loopback ports, with fresh databases; addresses and keys stand in DIR/env afterwards
#   servers.sh stop DIR     ends them; DIR may be removed then
#   servers.sh env DIR      prints DIR/env
#
# The cache folder is ${XDG_CACHE_HOME:-$HOME/.cache}/mapengine-real: remove it to begin from nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mapengine-real
redmine=/usr/share/redmine
tryton=$cache/tryton-8.2-invoices
packages=(redmine redmine-sqlite puma ruby-sqlite3)
# the databases are made anew when what makes them changes, and each year: Tryton's hold its fiscal years
templates=$cache/databases-$(date +%Y)-$(cat "$here"/{redmine_setup.rb,tryton_setup.py,servers.sh} | sha256sum | cut -c1-12)

say() { printf 'servers: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Runs a command; shows what it said only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then rm -f "$log"; return; fi
    say "failed: $*"
    tail -n 40 "$log" >&2
    rm -f "$log"
    return 1
}

# ---- Redmine: an instance is a folder with its configuration; it may stand anywhere ----

redmine_instance() {
    local dir=$1
    mkdir -p "$dir"/{config,tmp,log,files,public/plugin_assets}
    cat >"$dir/config/database.yml" <<YAML
production: { adapter: sqlite3, database: "$dir/redmine.sqlite", encoding: utf8, timeout: 20000 }
YAML
    printf '%s' "for tests on this machine only, more than thirty characters long" >"$dir/config/secret_key.txt"
}

# Debian looks for instances below its own folder, by name; enough `..` lead to ours.
in_redmine() {
    local dir=$1
    shift
    cd "$redmine"
    exec env RAILS_ENV=production REDMINE_INSTANCE="../../../../../../../../..$dir" "$@"
}

# ---- Tryton ----

tryton_instance() {
    local dir=$1 port=$2
    mkdir -p "$dir/db"
    printf '[database]\nuri = sqlite://\npath = %s/db\n[web]\nlisten = 127.0.0.1:%s\n' "$dir" "$port" >"$dir/trytond.conf"
}

install_tryton() {
    [[ -e $tryton/ready ]] && return
    say "installing Tryton into $tryton"
    rm -rf "$tryton"
    quietly python3 -m venv "$tryton"
    quietly "$tryton/bin/pip" install --quiet --disable-pip-version-check 'trytond==8.2.*' 'trytond-project==8.2.*' 'trytond-account-invoice==8.2.*' 'proteus==8.2.*'
    touch "$tryton/ready"
}

tryton_database() {
    local dir=$1
    tryton_instance "$dir" 0
    : >"$dir/db/erp.sqlite" # must exist before it is filled
    printf 'test' >"$dir/password"
    export TRYTONPASSFILE=$dir/password
    quietly "$tryton/bin/trytond-admin" -c "$dir/trytond.conf" -d erp --all --email admin@example.com
    quietly "$tryton/bin/trytond-admin" -c "$dir/trytond.conf" -d erp -u project account_invoice --activate-dependencies
    "$tryton/bin/python" "$here/tryton_setup.py" "$dir/trytond.conf" >"$dir/key" 2>"$dir/errors" || { cat "$dir/errors" >&2; return 1; }
}

redmine_database() {
    local dir=$1
    redmine_instance "$dir"
    (in_redmine "$dir" bundle exec rails runner "$here/redmine_setup.rb") >"$dir/key" 2>"$dir/errors" || { cat "$dir/errors" >&2; return 1; }
}

# ---- commands ----

missing_packages() {
    local name
    for name in "${packages[@]}"; do
        [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null || true) == ii* ]] || printf '%s\n' "$name"
    done
    python3 -c 'import ensurepip' 2>/dev/null || printf 'python3-venv\n'
}

install() {
    command -v dpkg-query >/dev/null || fail "this needs Debian 12: Redmine comes from its packages"
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock 9
    local missing
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]})); then
        ((EUID == 0)) || fail "not installed: ${missing[*]}. As root: apt-get install --no-install-recommends ${missing[*]}"
        say "installing ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        quietly apt-get update -qq
        quietly apt-get install -y -qq --no-install-recommends "${missing[@]}"
    fi
    install_tryton
    if [[ ! -e $templates ]]; then
        say "filling the two databases"
        local work
        rm -rf "$cache"/making.* # of an install that was ended
        work=$(mktemp -d "$cache/making.XXXXXX")
        # shellcheck disable=SC2064 # the value of now
        trap "rm -rf '$work'" EXIT
        tryton_database "$work/t" &
        local other=$!
        redmine_database "$work/r"
        wait "$other"
        mkdir "$work/done"
        mv "$work/r/redmine.sqlite" "$work/done/redmine.sqlite"
        mv "$work/t/db/erp.sqlite" "$work/done/erp.sqlite"
        mv "$work/r/key" "$work/done/redmine.key"
        mv "$work/t/key" "$work/done/tryton.key"
        rm -rf "$cache"/databases-*
        mv "$work/done" "$templates"
        rm -rf "$work"
        trap - EXIT
    fi
    flock -u 9
    exec 9>&-
}

free_ports() {
    python3 - <<'PY'
import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))
PY
}

# Starts a command in a session of its own; its process id goes to DIR/NAME.pid.
launch() {
    local dir=$1 name=$2
    shift 2
    # the shell becomes the server, so that the id is the server's
    (exec 9>&-; echo "$BASHPID" >"$dir/$name.pid"; "$@") </dev/null >"$dir/$name.log" 2>&1 &
    disown
}

serve_tryton() { exec "$tryton/bin/trytond" -c "$1/trytond.conf" -d erp; }
serve_redmine() { in_redmine "$1" puma -q -t 2:4 -e production -b "tcp://127.0.0.1:$2"; }

wait_for() {
    local dir=$1 name=$2 header=$3 url=$4 tries
    for ((tries = 0; tries < 300; tries++)); do
        [[ $(curl -s -o /dev/null -m 30 -w '%{http_code}' -H "$header" "$url" || true) == 200 ]] && return
        kill -0 "$(cat "$dir/$name.pid")" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 40 "$dir/$name.log" >&2
    fail "$name does not answer at $url"
}

start() {
    local dir=$1 ports tryton_key company redmine_key
    [[ -e $dir/env ]] && fail "$dir is in use: stop it first, or name another folder"
    install
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd -P)
    trap 'stop "$dir"' EXIT
    trap 'exit 130' INT TERM
    read -r -a ports < <(free_ports)
    redmine_instance "$dir"
    tryton_instance "$dir" "${ports[1]}"
    cp "$templates/redmine.sqlite" "$dir/redmine.sqlite"
    cp "$templates/erp.sqlite" "$dir/db/erp.sqlite"
    redmine_key=$(<"$templates/redmine.key")
    read -r tryton_key company <"$templates/tryton.key"
    launch "$dir" tryton serve_tryton "$dir"
    launch "$dir" redmine serve_redmine "$dir" "${ports[0]}"
    (
        umask 077
        cat >"$dir/env" <<ENV
REDMINE_URL=http://127.0.0.1:${ports[0]}
REDMINE_KEY=$redmine_key
TRYTON_URL=http://127.0.0.1:${ports[1]}/erp/rest/model
TRYTON_KEY=$tryton_key
TRYTON_COMPANY=$company
ENV
    )
    wait_for "$dir" tryton "Authorization: Bearer $tryton_key" "http://127.0.0.1:${ports[1]}/erp/rest/model/company.company"
    wait_for "$dir" redmine "X-Redmine-API-Key: $redmine_key" "http://127.0.0.1:${ports[0]}/users/current.json"
    trap - EXIT INT TERM
}

stop() {
    local dir=$1 name tries
    local -A pids=()
    for name in redmine tryton; do
        [[ -e $dir/$name.pid ]] || continue
        pids[$name]=$(<"$dir/$name.pid")
        kill "${pids[$name]}" 2>/dev/null || true
    done
    for name in "${!pids[@]}"; do
        for ((tries = 0; tries < 50; tries++)); do
            kill -0 "${pids[$name]}" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "${pids[$name]}" 2>/dev/null || true
        rm -f "$dir/$name.pid"
    done
    rm -f "$dir/env"
}

case ${1:-} in
    install) install ;;
    start | stop | env)
        [[ -n ${2:-} ]] || fail "which folder? servers.sh $1 DIR"
        if [[ $1 == env ]]; then cat "$2/env"; else "$1" "$2"; fi
        ;;
    *) fail "servers.sh install | start DIR | stop DIR | env DIR" ;;
esac
