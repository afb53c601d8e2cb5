# Puts the FIX engine, QuickFIX, into .venv. Called by make, and by environment.sh where it was there before.
set -euo pipefail
cd "$(dirname "$0")/.."

bash infra/fix_wheel.sh
version=$(sed -n 's/^quickfix==\([^ ]*\).*/\1/p' requirements-fix.lock)
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall \
  ".local/wheels/quickfix-$version"-cp311-*.whl
.venv/bin/python -c 'import quickfix' || { echo "fix: QuickFIX does not load: rm -r .local/wheels; make fix" >&2; exit 1; }
touch .venv/fix
