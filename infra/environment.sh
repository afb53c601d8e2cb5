# Makes .venv: Python's packages, as requirements.lock has them, hash by hash. Called by make.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3.11}

fail() { echo "setup: $*" >&2; exit 1; }

command -v "$python" > /dev/null ||
  fail "$python is missing: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11"
[ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = 3.11 ] ||
  fail "$python is $("$python" -V), and Flink's Python needs 3.11: make PYTHON=/path/to/python3.11"
"$python" -c 'import ensurepip' 2> /dev/null || fail "$python cannot make environments: apt-get install python3.11-venv"

echo "-- Python packages into .venv (400 MB to fetch, 1.4 GB unpacked)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
rm -f .venv/ready

# uv reads no pip configuration: an index that pip was told of is handed on.
setting() { .venv/bin/python -m pip config get "global.$1" 2> /dev/null || true; }
index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(setting index-url)}}
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"
export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-120}

# uv first, from its own lines of the lock; where it does not get through, pip does the same, slower.
mkdir -p .local
awk '/^uv==/ {on = 1; print; next} /^[^ ]/ {on = 0} on' requirements.lock > .local/uv.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .local/uv.lock ||
  fail "pip cannot fetch uv: is the package index to be reached from here?"
# Compiled now, or every process that Flink starts would compile for itself where that may not be written.
.venv/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python .venv/bin/python requirements.lock ||
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock ||
  fail "Python packages: neither uv nor pip got them all; above is what they say"

# The project itself: imported from here, and the helios command.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
pwd > "$site/helios.pth"
cat > .venv/bin/helios << SCRIPT
#!$PWD/.venv/bin/python
from jobs.cli.main import main

main()
SCRIPT
chmod +x .venv/bin/helios
.venv/bin/python -m infra.libpython
touch .venv/ready
# What is not in the lock has been taken away: the FIX engine comes back from its wheel.
[ ! -e .venv/fix ] || PYTHON=$python bash infra/fix.sh
