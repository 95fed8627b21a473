#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Methods that run as jobs in a process of their own: watched, suspended,
# terminated and killed from other processes, and with their own process killed.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
failure_start
must guest_exec vm \
    'head -c 12000000 /dev/urandom >/mnt/vda/big; sync' 120

service=Msvm_VirtualSystemReferencePointService
system="Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\""
system+=",Name=\"$uuid\""
kept_jobs=$HOME/.local/state/virt-refpoint/jobs
delay=300

# ---- Points and jobs ---------------------------------------------------------

# point_new NAME: of a guest that stands still; what it is goes to $tmp/truth
point_new()
{
    guest_write
    must virsh suspend vm
    must virt-refpoint create vm "$1" --quiesce=never
    rm -rf "$tmp/truth"
    must guest_copy vm "$tmp/truth"
    must virsh resume vm
    guest_write
}

point_path()
{
    local guid

    guid=$(virt-refpoint --json info vm "$1" | jq -r .point.guid)
    printf 'Msvm_VirtualSystemReferencePoint.InstanceID="refpoint:%s/%s",%s' \
        "$uuid" "$guid" "VirtualSystemIdentifier=\"$uuid\""
}

# job_start MILLISECONDS [STRACE OPTION]... -- METHOD [PARAM=VALUE]...
# Each write takes that long; $job is the id, the process of the job $worker.
job_start()
{
    local delay=$1
    local -a trace=()

    shift
    while [ "$1" != -- ]; do
        trace+=("$1")
        shift
    done
    shift
    rm -f "$tmp/job.out"
    (
        strace -f -q -o "$tmp/trace" -e "trace=pwrite64,renameat2,fdatasync" \
            -e "inject=pwrite64:delay_enter=${delay}000" \
            ${trace[@]+"${trace[@]}"} \
            virt-refpoint -q invoke --async "$service.$1" "${@:2}" \
            >"$tmp/job.out" 2>"$tmp/job.err" </dev/null
        true
    ) 2>/dev/null &
    wait_for 60 grep -q InstanceID "$tmp/job.out" || {
        not_ok "the job starts" "$(cat "$tmp/job.err")"
        return 1
    }
    job=$(sed -n 's/.*refpoint-job:\([0-9a-f-]*\)".*/\1/p' "$tmp/job.out")
    worker=$(worker_of "$job")
}

# export_job MILLISECONDS POINT [STRACE OPTION]...
export_job()
{
    job_start "$1" "${@:3}" -- ExportReferencePoint \
        "ReferencePoint=$(point_path "$2")" "ExportDirectory=$set"
}

# Who has the lock file open; many may run.
worker_of()
{
    local pid

    for pid in $(lab_processes); do
        if [ "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" = \
            "virt-refpoint job-process " ] &&
            readlink "/proc/$pid/fd"/* 2>/dev/null |
            grep -qx "$kept_jobs/$1"; then
            echo "$pid"
        fi
    done
}

# job_get FILTER [ID]
job_get()
{
    virt-refpoint --json job show "${2:-$job}" | jq -r ".job$1"
}

job_state_is()
{
    [ "$(job_get .state_name)" = "$1" ]
}

percent_reaches()
{
    [ "$(job_get .percent)" -ge "$1" ]
}

# state_is STATE DESCRIPTION: before long
state_is()
{
    wait_for 60 job_state_is "$1"
    is "$(job_get .state_name)" "$1" "$2"
}

# Bytes that are there of the image of vda of a point.
image_bytes()
{
    stat -c %b "$(echo "$set"/disks/*/vda/"$1".qcow2)" 2>/dev/null || echo 0
}

# What must not be there while the point waits for another export: the data is
# kept, by a job.
half_published()
{
    [ "$(guest_state vm)" = running ] || echo "guest: $(guest_state vm)"
    guest_frozen_is vm thawed || echo "guest: $(guest_frozen_status vm 2>&1)"
    point_left "$1" | grep -v '^checkpoint'
    [ ! -s "$record" ] || echo "record: $(tail -n 1 "$record")"
}

# cleaned NAME: nobody calls anything meanwhile
cleaned()
{
    wait_for 60 eval '[ -z "$(half_published "$1")" ]'
    is "$(half_published "$1")" "" "$1: nothing half published, guest running"
}

# point_exact NAME: its export now is the moment of its creation
point_exact()
{
    local target status=0

    [ -e "$set/$1" ] ||
        check "$1: the next export" \
            virt-refpoint export vm "$set" --point "$1" --base none
    for target in vda vdb; do
        image_matches "$(echo "$set"/disks/*/$target/"$1".qcow2)" \
            "$tmp/truth/$target.raw" || status=$target
    done
    is "$status" 0 "$1: exact"
    wait_for 60 eval '[ -z "$(job_left)" ]'
    is "$(job_left)" "" "$1: no job, nothing left of it"
}

# ---- Not asynchronous --------------------------------------------------------

# Settings in UTF-16, as Windows writes them; the answer in CIM XML.
printf '%s' '<INSTANCE CLASSNAME="Msvm_VirtualSystemReferencePointSettingData">' \
    '<PROPERTY NAME="ConsistencyLevel" TYPE="uint8"><VALUE>2</VALUE>' \
    '</PROPERTY></INSTANCE>' | iconv -t UTF-16 >"$tmp/settings.xml"
check "sync: settings from a file" virt-refpoint invoke --xml \
    "$service.createreferencepoint" "AffectedSystem=$system" \
    "referencepointsettings=@$tmp/settings.xml" ReferencePointType=1
if command -v xmllint >/dev/null; then
    id='//PARAMVALUE[@NAME="ResultingReferencePoint"]/VALUE.REFERENCE'
    id+='//KEYBINDING[@NAME="InstanceID"]/KEYVALUE'
    like "$(xmllint --xpath "string($id)" "$tmp/out" 2>&1)" \
        "^refpoint:$uuid/" "sync: the point in CIM XML"
else
    skip "sync: the point in CIM XML" "needs xmllint"
fi
point=$(virt-refpoint -q list vm --name | grep -vx full)
is "$(virt-refpoint --json info vm "$point" | jq -r .point.consistency)" crash \
    "sync: as the settings say"
path=$(point_path "$point")
(
    env --default-signal=INT strace -f -q -o /dev/null -e trace=pwrite64 \
        -e inject=pwrite64:delay_enter="${delay}000" \
        sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
        virt-refpoint invoke "$service.ExportReferencePoint" \
        "ReferencePoint=$path" "ExportDirectory=$set" \
        >"$tmp/sync.out" 2>&1 </dev/null
    echo $? >"$tmp/status"
) 2>/dev/null &
wait_for 60 eval '[ "$(image_bytes "$point")" != 0 ]'
kill -INT "$(cat "$tmp/pid")"
wait_for 60 test -s "$tmp/status"
is "$(cat "$tmp/status")" 130 "sync: SIGINT ends it by that signal"
is "$(half_published "$point")" "" "sync: and all was undone"
like "$(cat "$tmp/sync.out")" "ReturnValue: +32768 " "sync: its return value"
check "sync: an export" virt-refpoint --json invoke \
    "$service.ExportReferencePoint" "ReferencePoint=$path" \
    "ExportDirectory=$set"
is "$(jq -c . "$tmp/out")" '{"ReturnValue":0,"Job":null}' "sync: its answer"
check "sync: changes, asked for asynchronously" virt-refpoint --json invoke \
    --async GetVirtualDiskChanges "Path=$(guest_disk vm vda)" \
    "LimitId=refpoint-rct:$(sed 's/.*refpoint:[^/]*.\([^"]*\)".*/\1/' \
        <<<"$path")/vda" ByteOffset=0 ByteLength=67108864
is "$(jq '.ReturnValue, .ProcessedByteLength, (.ChangedByteOffsets | length)
    == (.ChangedByteLengths | length)' "$tmp/out" | tr '\n' ' ')" \
    "0 67108864 true " "sync: changes come at once"
is "$(virt-refpoint -q job list | grep -c .)" 0 "sync: no job is left of it"
status_is 6 "sync: an empty path" virt-refpoint invoke \
    "$service.DestroyReferencePoint" AffectedReferencePoint=
check "sync: the point goes" virt-refpoint invoke \
    "$service.DestroyReferencePoint" "AffectedReferencePoint=$path"

# ---- Watched -----------------------------------------------------------------

point_new watched
export_job "$delay" watched
is "$(virt-refpoint -q job list | awk 'NF { print $1, $2, $3 }')" \
    "$job ExportReferencePoint vm/$(virt-refpoint --json info vm watched |
        jq -r '.point.guid[:8]')" "watched: is in the list"
isnt "$worker" "" "watched: a process of its own"
is "$(ps -o sid= -p "$worker" | tr -d ' ')" "$worker" \
    "watched: its own session"
seen=
while [ "$(job_get .state_name)" = Running ]; do
    percent=$(job_get .percent)
    [[ " $seen" = *" $percent" ]] || seen+=" $percent"
    sleep 0.1
done
diag "percent:$seen"
is "$(tr ' ' '\n' <<<"$seen" | sed '/^$/d' | sort -nc 2>&1)" "" \
    "watched: percent only grow"
[ "$(wc -w <<<"$seen")" -ge 3 ] && ok "watched: step by step" ||
    not_ok "watched: step by step" "$seen"
is "$(job_get .percent)" 100 "watched: up to 100"
check "watched: wait of a job that has ended" virt-refpoint job wait "$job"
is "$(job_get .return_value)" 0 "watched: its return value"
like "$(job_get '.instance.ExportedDisks[0]')" "^refpoint-disk:.*/vda$" \
    "watched: the instance names the disks"
like "$(job_get '.instance.ExportedLogFilePaths[0]')" \
    "^$set/disks/.*/vda/.*qcow2$" "watched: and their images"
check "watched: GetError" virt-refpoint --json invoke GetError "Job=$job"
is "$(jq -r .Error "$tmp/out")" null "watched: no error"
status_is 8 "watched: it cannot be suspended any more" \
    virt-refpoint job suspend "$job"
check "watched: a prefix will do" virt-refpoint job show "${job:0:4}"
check "watched: its path will do" virt-refpoint job show "$(job_get .path)"
point_exact watched

# ---- Suspended ---------------------------------------------------------------

point_new suspended
export_job "$delay" suspended
wait_for 60 percent_reaches 10
check "suspended: suspend" virt-refpoint job suspend "${job:0:8}"
is "$(job_get .state_name)" Suspended "suspended: says so"
before=
for i in {1..20}; do # what was read already is still written
    [ "$before" != "$(image_bytes suspended)" ] || break
    before=$(image_bytes suspended)
    sleep "$((delay * 4 / 1000)).5"
done
sleep 2
is "$(image_bytes suspended)" "$before" "suspended: no bytes move"
isnt "$before" 0 "suspended: some had moved"
status_is 5 "suspended: waiting has an end" \
    virt-refpoint job wait "$job" --timeout=1
check "suspended: resumed by the model's own name" virt-refpoint invoke \
    CIM_ConcreteJob.RequestStateChange "Job=$(job_get .path)" RequestedState=2
is "$(job_get .state_name)" Running "suspended: runs again"
status_is 3 "suspended: a time limit of the model" virt-refpoint invoke \
    RequestStateChange "Job=$job" RequestedState=3 \
    TimeoutPeriod=00000000000005.000000:000
like "$(cat "$tmp/out")" "ReturnValue: *4098 " "suspended: has its number"
status_is 9 "suspended: no number" virt-refpoint invoke RequestStateChange \
    "Job=$job" RequestedState=x
check "suspended: waits for its end" virt-refpoint job wait "$job"
point_exact suspended

# With everything read: it is not published before it is resumed.
point_new late
export_job 0 late -P "$set/disks/vm/vda/late.qcow2" \
    -e inject=fdatasync:delay_enter=3000000:when=1
wait_for 60 grep -q fdatasync "$tmp/trace"
check "late: suspend" virt-refpoint job suspend "$job"
wait_for 60 eval '[ -z "$(job_left)" ]'
sleep 2
is "$(job_get .state_name)" Suspended "late: stays so"
[ ! -e "$set/late" ] && ok "late: nothing is published" ||
    not_ok "late: nothing is published"
check "late: resume" virt-refpoint job resume "$job"
check "late: waits for its end" virt-refpoint job wait "$job"
point_exact late

# ---- Terminated --------------------------------------------------------------

point_new terminated
export_job "$delay" terminated
wait_for 60 percent_reaches 10
virt-refpoint job wait "$job" >"$tmp/wait.out" 2>"$tmp/wait.err" &
waiter=$!
check "terminated: terminate" virt-refpoint job terminate "$job"
wait "$waiter"
is "$?" 1 "terminated: who waits hears of it"
state_is Terminated "terminated: its state"
is "$(job_get .return_value)" 32768 "terminated: its return value"
check "terminated: GetErrorEx" \
    virt-refpoint --json invoke GetErrorEx "Job=$job"
like "$(jq -r '.Errors[0]' "$tmp/out")" 'NAME="MessageID".*cancelled' \
    "terminated: the error says cancelled"
is "$(half_published terminated)" "" "terminated: nothing is left of it"
point_exact terminated

# Of a job that makes a point the point goes, too.
guest_hook freeze "sleep 6"
job_start 0 -- CreateReferencePoint "AffectedSystem=$system" \
    ReferencePointType=1
wait_for 60 grep -q '^freeze' "$record"
kill "$worker"
state_is Terminated "terminated: with SIGTERM, a job that makes a point"
guest_unhook
wait_for 60 eval '[ -z "$(job_left)" ]'
is "$(job_left)" "" "terminated: nothing is left of that"
is "$(virsh -q checkpoint-list vm --name | grep -vxE \
    '(full|watched|suspended|late|terminated|)' | tr '\n' ' ')" "" \
    "terminated: the point neither"

# ---- Killed ------------------------------------------------------------------

point_new killed
export_job "$delay" killed
wait_for 60 percent_reaches 10
check "killed: kill" virt-refpoint job kill "$job"
state_is Killed "killed: its state"
wait_for 60 eval '! is_running "$worker"'
cleaned killed

export_job "$delay" killed
wait_for 60 percent_reaches 10
kill -STOP "$worker"
begin=$SECONDS
status_is 5 "killed: a process that stands still does not answer" \
    timeout 30 virt-refpoint job suspend "$job"
# As many as its queue takes, and some more.
waiters=()
for i in {1..18}; do
    virt-refpoint job wait "$job" --timeout=1 2>/dev/null &
    waiters+=($!)
done
wait "${waiters[@]}"
check "killed: it is killed" virt-refpoint job kill "$job"
[ $((SECONDS - begin)) -le 29 ] || not_ok "killed: takes long"
wait_for 60 eval '! is_running "$worker"' && ok "killed: the process is gone" ||
    not_ok "killed: the process is gone"
is "$(job_get .state_name)" Killed "killed: its state, of a stopped process"
cleaned killed
like "$(job_get .instance.ErrorDescription)" "killed; its guard has undone" \
    "killed: what was cleaned"
point_exact killed

# ---- Two at once -------------------------------------------------------------

point_new race
path=$(point_path race)
for i in 1 2; do
    strace -f -q -o /dev/null -e trace=pwrite64 \
        -e inject=pwrite64:delay_enter="${delay}000" \
        virt-refpoint --json invoke --async "$service.ExportReferencePoint" \
        "ReferencePoint=$path" "ExportDirectory=$tmp/race$i" \
        >"$tmp/race$i.json" &
    racer[i]=$!
done
begin=$SECONDS
codes=
for i in 1 2; do
    wait "${racer[i]}"
    code=$(jq .ReturnValue "$tmp/race$i.json")
    if [ "$code" = 4096 ]; then
        job=$(jq -r .Job "$tmp/race$i.json")
        virt-refpoint job wait "$job" 2>/dev/null >&2
        code=$(job_get .return_value)
    fi
    codes+="$code "
done
like "$codes" "^(0 32774|32774 0) $" "race: one gets System is in use"
# Nobody waits for the other one's lock, which would be 30 s.
[ $((SECONDS - begin)) -le 29 ] || not_ok "race: at once"
cp -R "$tmp"/race?/disks "$tmp/raced" 2>/dev/null
wait_for 60 eval '[ -z "$(job_left)" ]'
is "$(job_left)" "" "race: nothing left"

# ---- Its own process killed --------------------------------------------------

# died NAME DESCRIPTION
died()
{
    wait_for 60 eval '! is_running "$worker"'
    wait_for 60 job_state_is Exception
    is "$(job_get .state_name)" Exception "$1: $2: an exception"
    cleaned "$1"
    like "$(job_get .instance.ErrorDescription)" \
        "ended unexpectedly; its guard has undone" "$1: what was cleaned"
    status_is 1 "$1: who waits hears of it" virt-refpoint job wait "$job"
}

point_new first
export_job "$delay" first
kill -9 "$worker"
died first "as soon as the job was begun"
point_exact first

n=0
for when in 0.1 0.4; do
    n=$((n + 1))
    point_new "early$n"
    export_job "$delay" "early$n"
    sleep "$when"
    kill -9 "$worker"
    died "early$n" "$when seconds behind the begin"
    point_exact "early$n"
done
for percent in 10 40 80; do
    point_new "at$percent"
    export_job "$delay" "at$percent"
    wait_for 60 percent_reaches "$percent"
    kill -9 "$worker"
    died "at$percent" "with $percent percent done"
    point_exact "at$percent"
done

point_new asleep
export_job "$delay" asleep
wait_for 60 percent_reaches 10
must virt-refpoint job suspend "$job"
kill -9 "$worker"
died asleep "suspended"
point_exact asleep

point_new finishing
export_job 0 finishing -P "$set/disks/vm/vda/finishing.qcow2" \
    -e inject=fdatasync:signal=KILL:when=1
died finishing "while an image is finished"
point_exact finishing

point_new rename
export_job 0 rename -e inject=renameat2:signal=KILL:when=1
died rename "just before the rename"
point_exact rename

guest_hook freeze "sleep 6"
job_start 0 -- CreateReferencePoint "AffectedSystem=$system" \
    ReferencePointType=1
wait_for 60 grep -q '^freeze' "$record"
kill -9 "$worker"
died freezing "while the guest freezes"
guest_unhook
wait_for 60 eval '[ -z "$(job_left)" ]'
is "$(job_left)" "" "freezing: nothing left"

check "the set is whole" virt-refpoint verify "$set"

# All whom the process listens to, beside its own descriptors.
watched_by_64()
{
    [ "$(readlink "/proc/$worker/fd"/* | grep -c '^socket:')" -ge 64 ]
}

# ---- Waiting, and the end of records -----------------------------------------

point_new waited
export_job "$delay" waited
must virt-refpoint job suspend "$job"
env --default-signal=INT virt-refpoint job wait "$job" &
waiter=$!
wait_for 60 grep -qx virt-refpoint "/proc/$waiter/comm"
sleep 1
kill -INT "$waiter"
wait "$waiter" 2>/dev/null
is "$?" 130 "waited: SIGINT ends the waiting"
is "$(job_get .state_name)" Suspended "waited: and not the job"
waiters=()
for i in {1..70}; do
    virt-refpoint -q job wait "$job" &
    waiters+=($!)
done
wait_for 120 watched_by_64
check "waited: many who wait keep nobody out" virt-refpoint job resume "$job"
status=0
for waiter in "${waiters[@]}"; do
    wait "$waiter" || status=$?
done
is "$status" 0 "waited: all of them hear of the end"
check "waited: again, to its end" virt-refpoint job wait "$job"
wait_for 60 eval '! is_running "$worker"'
sed -i 's/^ended=.*/ended=1000/' "$kept_jobs/$job/job"
status_is 6 "waited: an old record is gone" virt-refpoint job show "$job"
[ ! -e "$kept_jobs/$job" ] && ok "waited: its folder, too" ||
    not_ok "waited: its folder, too"
point_exact waited

done_testing
