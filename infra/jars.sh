# Copies the jars of infra/pom.xml into .local/jars, one folder a service. Called by make.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "setup: $*" >&2; exit 1; }

command -v java > /dev/null || [ -x "${JAVA_HOME:-}/bin/java" ] ||
  fail "no java: install JDK 17 (apt-get install openjdk-17-jdk-headless) or point JAVA_HOME at one"
command -v mvn > /dev/null || fail "mvn is missing: apt-get install maven"

echo "-- jars of Kafka, Flink's connectors and the registry into .local/jars (240 MB to fetch)"
log=.local/jars.log
mkdir -p .local
rm -rf .local/jars.draft
mvn -q -B -f infra/pom.xml -Djars="$PWD/.local/jars.draft" ${MAVEN_ARGS:-} package > "$log" 2>&1 ||
  fail "Maven: $(grep -m1 ERROR "$log" || tail -n1 "$log") (all of it: $log)"
[ "${JARS_LOCK:-check}" = check ] || (cd .local/jars.draft && sha256sum -- */*.jar */*.gz > ../../infra/jars.sha256)
(cd .local/jars.draft && sha256sum --quiet --check ../../infra/jars.sha256) > "$log" 2>&1 ||
  fail "jars are not those of infra/jars.sha256: $(head -n1 "$log") (after a new version in pom.xml: make jars-lock)"
rm -rf .local/jars
mv .local/jars.draft .local/jars
touch .local/jars/ready
