#!/bin/sh
# Makes .venv and installs into it what requirements.lock names and this checkout; nothing is done
# where that has been done already. Everything it prints goes to stderr: results own stdout.
set -eu
exec 1>&2
cd "$(dirname "$0")/../.."

wanted="$(cat requirements.lock pyproject.toml platform/setup/environment.sh | cksum) $PWD"
stamp=.venv/installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c "" 2>/dev/null; then
    exit 0
fi

python=""
for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed; set PYTHON to its path."
    exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$python cannot make environments: on Debian, apt-get install python3-venv."
    exit 2
fi

echo "Installing into .venv; the first time this takes some minutes."
# One that was moved or copied here from elsewhere still names its old place.
if ! grep -qsF "$PWD/.venv" .venv/bin/activate ||
    ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
fi
rm -f "$stamp"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# With dependencies, though all are pinned: some builds of torch want libraries of their own.
.venv/bin/python -m pip install --quiet --requirement requirements.lock
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
echo "$wanted" >"$stamp"
