#!/usr/bin/env bash
# Makes the virtual environment $VENV (.venv) and installs Ringfence and the pinned packages into it.
# usage: .ci/setup.sh [dev|clients]   dev adds what tests and checks need, clients installs freqtrade and NautilusTrader
#                                     instead; $PYTHON names the interpreter
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
extra=${1:-}
least=3.11
what="Ringfence and its pinned packages${extra:+, those for tests included}"
packages=(-c constraints.txt -e ".${extra:+[$extra]}")
if [ "$extra" = clients ]; then
    least=3.12
    what="the clients that Ringfence is tried with"
    packages=(-r .ci/clients.txt)
fi
not_built='error: command .*(gcc|cc|c\+\+)|unknown compiler|(find|no) .*compiler|Python\.h|Failed building wheel'

stop() { # message, then the command that helps
    printf 'Set-up stopped: %s\n    %s\n' "$1" "$2" >&2
    exit 1
}

runs() { # a path to an interpreter that works and is the version wanted
    "$1" -c "import pip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null
}

pythons() { # where the one that was named is too old for the clients, another has them
    .ci/pythons
    if [ "$extra" = clients ]; then PYTHON='' .ci/pythons; fi
}

read -r version python < <(pythons | awk -v least="${least#3.}" '{ split($1, v, ".") } v[2] >= least') || stop \
    "no working Python $least or newer found${PYTHON:+ as PYTHON=$PYTHON}. On Debian or Ubuntu:" \
    "sudo apt-get install python3 python3-venv      (or name one: make PYTHON=/path/to/python$least ...)"

"$python" -c 'import ensurepip, venv' 2>/dev/null || stop \
    "$python cannot make virtual environments. On Debian or Ubuntu:" "sudo apt-get install python$version-venv"

[ ! -e "$venv" ] || [ -e "$venv/pyvenv.cfg" ] || stop \
    "$venv is there and is no virtual environment. Move it away, or name another:" "make VENV=.venv-other ..."

echo "Setting up $venv with Python $version: installing $what."
runs "$venv/bin/python" || "$python" -m venv --clear "$venv"

log=$venv/setup.log
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    "${packages[@]}" >"$log" 2>&1; then
    cat "$log" >&2
    if grep -qiE "$not_built" "$log"; then
        stop "a package had to be built and could not be. On Debian or Ubuntu:" \
            "sudo apt-get install build-essential python3-dev"
    fi
    stop "pip could not install the packages, see above. Once it can reach them:" "make setup"
fi
touch "$venv/${extra:-run}.stamp"
if [ "$extra" = dev ]; then touch "$venv/run.stamp"; fi
