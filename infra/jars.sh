# Copies the jars of infra/pom.xml into .local/jars, one folder a service. Called by make.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "setup: $*" >&2; exit 1; }

command -v java > /dev/null || [ -x "${JAVA_HOME:-}/bin/java" ] ||
  fail "no java: install JDK 17 (apt-get install openjdk-17-jdk-headless) or point JAVA_HOME at one"
command -v mvn > /dev/null || fail "mvn is missing: apt-get install maven"

echo "-- jars of Kafka, Flink's connectors and the registry into .local/jars (240 MB to fetch)"
rm -rf .local/jars.draft
log=.local/jars.log
mkdir -p .local
for service in flink kafka registry; do
  # -C: a jar whose checksum does not agree is an error.
  mvn -C -q -B -f infra/pom.xml -P "$service" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$PWD/.local/jars.draft/$service" > "$log" 2>&1 ||
    fail "Maven, $service: $(grep -m1 ERROR "$log" || tail -n1 "$log") (all of it: $log)"
done
rm -rf .local/jars
mv .local/jars.draft .local/jars
touch .local/jars/ready
