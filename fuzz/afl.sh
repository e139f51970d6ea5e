#!/usr/bin/env bash
# Fuzzes one target for a while, guided by coverage: afl.sh TARGET SECONDS [FOLDER-FOR-THE-RUN]
# Wants AFL++ (Debian: afl++). Instruments the library with SharpFuzz, begins with fuzz/corpus/TARGET, prints what came of it, and adds to the
# corpus what took edges that nothing in it took. Ends with 1 where something crashed, hung or cost more than its ceiling.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?usage: afl.sh TARGET SECONDS [FOLDER]}
seconds=${2:?usage: afl.sh TARGET SECONDS [FOLDER]}
run=${3:-$(mktemp -d)}
corpus=$PWD/fuzz/corpus/$target
[ -d "$corpus" ] || { echo "there is no $corpus"; exit 2; }
command -v afl-fuzz >/dev/null || { echo 'afl-fuzz is not here (Debian: apt-get install afl++)'; exit 2; }

dotnet tool restore >/dev/null
dotnet build fuzz -c Release -v q --nologo -p:RunAnalyzers=false >/dev/null
mkdir -p "$run"
rm -rf "$run/program" "$run/found"
cp -r artifacts/bin/MutualAuth.Fuzz/release "$run/program"
dotnet sharpfuzz "$run/program/MutualAuth.Core.dll"

# A dotnet program is no binary of AFL's, the machine may not be told how to count or to dump, and a first run of the runtime takes its time.
status=0
AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 AFL_FORKSRV_INIT_TMOUT=60000 \
  DOTNET_TieredPGO=0 DOTNET_gcServer=0 \
  afl-fuzz -i "$corpus" -o "$run/found" -m none -t 2000 -V "$seconds" -- dotnet "$run/program/MutualAuth.Fuzz.dll" afl "$target" >"$run/afl.log" 2>&1 || status=$?
stats=$run/found/default/fuzzer_stats
[ -e "$stats" ] || { tail -n 20 "$run/afl.log"; exit 1; }

stat() { sed -n "s/^$1 *: *//p" "$stats"; }
echo "$target: $(stat run_time) s, $(stat execs_done) executions ($(stat execs_per_sec) a second), $(stat edges_found) edges, $(stat corpus_count) inputs, $(stat saved_crashes) crashes or over the ceiling, $(stat saved_hangs) hangs"
dotnet artifacts/bin/MutualAuth.Fuzz/release/MutualAuth.Fuzz.dll dearest-of "$target" "$run/found/default/queue"
dotnet "$run/program/MutualAuth.Fuzz.dll" distil "$target" "$corpus" "$run/found/default/queue"
find "$run/found/default/crashes" "$run/found/default/hangs" -type f ! -name README.txt -print
[ "$status" -eq 0 ] && [ "$(stat saved_crashes)" -eq 0 ] && [ "$(stat saved_hangs)" -eq 0 ]
