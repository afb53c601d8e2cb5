# Compiles the FIX engine, QuickFIX, into a wheel in .local/wheels, once. Called by make.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3.11}
wheels=$PWD/.local/wheels

fail() { echo "fix: $*" >&2; exit 1; }

# The lines of one package in the lock.
pinned() { awk -v name="$1==" 'index($0, name) == 1 {on = 1; print; next} /^[^ ]/ {on = 0} on' requirements-fix.lock; }

version=$(pinned quickfix | sed -n 's/^quickfix==\([^ ]*\).*/\1/p')
! compgen -G "$wheels/quickfix-$version-cp311-*.whl" > /dev/null || exit 0

command -v "$python" > /dev/null ||
  fail "$python is missing: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11"
command -v g++ > /dev/null || fail "QuickFIX is compiled here, and there is no C++ compiler: apt-get install g++"
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -e "$headers/Python.h" ] ||
  fail "QuickFIX is compiled here, and $headers has no Python.h: apt-get install python3.11-dev"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What it is built with and made of, by hash. Without --no-build-isolation pip would fetch any setuptools.
echo "-- QuickFIX $version: its source (3 MB to fetch)"
"$python" -m venv "$scratch/venv"
pip() { "$scratch/venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pinned setuptools > "$scratch/setuptools.lock"
pinned quickfix > "$scratch/quickfix.lock"
pip install --quiet --require-hashes -r "$scratch/setuptools.lock" &&
  pip download --quiet --no-build-isolation --no-deps --require-hashes -r "$scratch/quickfix.lock" -d "$scratch" ||
  fail "pip cannot fetch QuickFIX: is the package index to be reached from here?"
mkdir "$scratch/source"
tar -xzf "$scratch/quickfix-$version.tar.gz" -C "$scratch/source" --strip-components 1

# Fifty-three small files read the same headers: as one they take 16 s instead of 120.
(
  cd "$scratch/source/C++"
  mkdir engine
  mv ./*.cpp engine
  mv engine/QuickfixPython.cpp .
  printf '#include "%s"\n' engine/*.cpp > engine.cpp
)

# The largest file takes 50 s, and 84 with Python's own -O3; a message is read and written in 6.5 us, and 5.7.
echo "-- QuickFIX $version: compiling, a minute or two, this once"
started=$SECONDS
CFLAGS="-O1 -g0" CXXFLAGS="-O1 -g0" \
  pip wheel --no-build-isolation --no-deps --verbose -w "$scratch" "$scratch/source" > "$scratch/log" 2>&1 &
while sleep 1 && kill -0 $! 2> /dev/null; do
  [ $(((SECONDS - started) % 10)) != 0 ] || echo "   compiling for $((SECONDS - started)) s"
done
wait $! || { tail -n 30 "$scratch/log" >&2; fail "QuickFIX does not compile: above is what the compiler says"; }

mkdir -p "$wheels"
made=$(basename "$scratch/quickfix-$version"-*.whl)
cp "$scratch/$made" "$wheels/.$made"
mv "$wheels/.$made" "$wheels/$made"
echo "   compiled in $((SECONDS - started)) s: .local/wheels/$made"
