#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# job, without a guest: records that are there, damaged, hostile, or of
# processes that are gone.
#
# shellcheck disable=SC2317

. "$(dirname "$0")/functions.sh"
requires jq
requires python3

mkdir -m 700 "$tmp/jobs" "$tmp/records"
export REFPOINT_JOBS=$tmp/jobs
uuid=11111111-2222-3333-4444-555555555555
service=Msvm_VirtualSystemReferencePointService
done_guid=aaaa0001-0000-0000-0000-000000000001
dead_guid=aaaa0002-0000-0000-0000-000000000002
live_guid=bbbb0003-0000-0000-0000-000000000003

# record GUID STATE [LINE]...: as a process has left it
record()
{
    local guid=$1 state=$2

    shift 2
    mkdir -p "$tmp/jobs/$guid"
    : >"$tmp/jobs/$guid/lock"
    {
        cat <<END
[job]
id=$guid
path=Msvm_ConcreteJob.InstanceID="refpoint-job:$guid"
class=$service
method=ExportReferencePoint
domain-name=vm
domain-uuid=$uuid
submitted=$(date +%s)
return-value=0
END
        printf '%s\n' "$@"
        printf 'instance=<INSTANCE CLASSNAME="Msvm_ConcreteJob">'
        printf '<PROPERTY NAME="JobState" TYPE="uint16"><VALUE>%s' "$state"
        printf '</VALUE></PROPERTY><PROPERTY NAME="PercentComplete" '
        printf 'TYPE="uint16"><VALUE>42</VALUE></PROPERTY></INSTANCE>\n'
    } >"$tmp/jobs/$guid/job"
}

# start_of PID: when it was started, in ticks, as the kernel counts
start_of()
{
    sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

# names GUID PID START: the record says that this is its process
names()
{
    sed -i "s/^submitted=/pid=$2\nstart=$3\n&/" "$tmp/jobs/$1/job"
}

# holder GUID [SOCKET]: a process that has the lock, and answers nothing; what
# SOCKET says: "" no socket, "full" one that takes nobody, "busy" one that hangs
# up at once, else one that does not listen
holder()
{
    python3 - "$tmp/jobs/$1" "${2-}" <<'END' &
import fcntl
import os
import socket
import struct
import sys
import time

lock = os.open(sys.argv[1] + "/lock", os.O_RDWR)
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
if sys.argv[2]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.chdir(sys.argv[1])
    listener.bind("socket")
    listener.listen(0 if sys.argv[2] == "full" else 16)
if sys.argv[2] == "full":
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect("socket")
os.mknod(sys.argv[1] + "/ready")
while sys.argv[2] == "busy":
    listener.accept()[0].close()
    with open("calls", "a") as calls:
        calls.write("x")
time.sleep(120)
END
    holder=$!
    disown "$holder"
    cleanup_fn stop_process "$holder"
    wait_for 60 test -e "$tmp/jobs/$1/ready"
    rm -f "$tmp/jobs/$1/ready"
}

# ---- Command lines -----------------------------------------------------------

usage "no command" "COMMAND is missing" job
usage "an unknown command" "unknown command: job frobnicate" job frobnicate a
usage "list of one" "unexpected argument: a" job list a
for command in show wait suspend resume terminate kill; do
    usage "$command of none" "ID is missing" job "$command"
    usage "$command of two" "unexpected argument: b" job "$command" a b
    status_is 6 "$command of what is no id" virt-refpoint job "$command" xyz
    status_is 6 "$command of what is not there" \
        virt-refpoint job "$command" 1234
    json 6 "$command in JSON" job "$command" 1234
done
status_is 6 "three digits are too few" virt-refpoint job show 123
usage "a timeout that is none" "--timeout=1s: not a number" \
    job wait a --timeout 1s
usage "a timeout of what does not wait" "--timeout is for job wait" \
    job show a --timeout 1

check "no records" virt-refpoint job list
REFPOINT_JOBS=$tmp/none check "no folder" virt-refpoint job list
[ ! -e "$tmp/none" ] && ok "no folder: none is made" ||
    not_ok "no folder: none is made"
json 0 "no records in JSON" job list
is "$(json_get '.jobs | length')" 0 "no records in JSON: an empty list"

# ---- What has ended ----------------------------------------------------------

record "$done_guid" 7 "ended=$(date +%s)"
check "a list" virt-refpoint job list
like "$(cat "$tmp/out")" \
    "$done_guid +ExportReferencePoint +vm +Completed +42 +0:00:0" \
    "a list: the job"
json 0 "a list in JSON" job list
is "$(json_get '.jobs[0].domain.name')" vm "a list in JSON: the job"
json 0 "show" job show aaaa
is "$(json_get .job.state_name)" Completed "show: its state"
is "$(json_get .job.instance.PercentComplete)" 42 "show: its instance"
check "show, for people" virt-refpoint job show \
    "$(tr a-f A-F <<<"$done_guid")"
check "show, by its path" virt-refpoint job show \
    "\\\\HOST\\root\\virtualization\\v2:CIM_ConcreteJob.InstanceID=\"refpoint-job:$done_guid\""
check "wait" virt-refpoint job wait "$done_guid"
json 8 "suspend" job suspend "$done_guid"
is "$(json_get .job.id)" "$done_guid" "suspend: it is shown as it is"
status_is 8 "kill" virt-refpoint job kill "$done_guid"

# ---- Whose process is gone ---------------------------------------------------

record "$dead_guid" 4
echo step >"$tmp/records/$uuid.record"
status_is 6 "two begin so" virt-refpoint job show aaaa
like "$(cat "$tmp/err")" "several jobs begin with 'aaaa'" \
    "two begin so: the message"
json 0 "gone" job show "$dead_guid"
is "$(json_get .job.state_name)" Exception "gone: an exception"
is "$(json_get .job.return_value)" 32768 "gone: Failed"
like "$(json_get .job.instance.ErrorDescription)" "unexpectedly; its guard, or" \
    "gone: the undo goes on"
: >"$tmp/records/$uuid.record"
json 0 "gone, and undone" job show "$dead_guid"
like "$(json_get .job.instance.ErrorDescription)" "its guard has undone" \
    "gone, and undone: says so"
json 1 "gone: wait" job wait "$dead_guid"
is "$(json_get .error.cause)" failed "gone: wait: the failure"
check "gone: GetError" virt-refpoint --json invoke GetError "Job=$dead_guid"
like "$(jq -r .Error "$tmp/out")" 'CLASSNAME="Msvm_Error"' \
    "gone: GetError: an instance"
is "$(validate)" "" "gone: GetError: valid"
check "gone: GetErrorEx in XML" \
    virt-refpoint invoke --xml GetErrorEx "Job=$dead_guid"
if command -v xmllint >/dev/null; then
    xmllint --xpath 'string(//PARAMVALUE[@NAME="Errors"]/VALUE.ARRAY/VALUE)' \
        "$tmp/out" >"$tmp/error.xml"
    like "$(xmllint --xpath \
        'string(/INSTANCE/PROPERTY[@NAME="Message"]/VALUE)' \
        "$tmp/error.xml" 2>&1)" "ended unexpectedly" \
        "gone: GetErrorEx in XML: the instance in it"
else
    skip "gone: GetErrorEx in XML: the instance in it" "needs xmllint"
fi

# ---- A process that does not answer ------------------------------------------

record "$live_guid" 4
holder "$live_guid"
json 0 "mute" job show "$live_guid"
is "$(json_get .job.state_name)" Running "mute: it runs"
status_is 10 "mute: it cannot be reached" virt-refpoint job suspend "$live_guid"
status_is 5 "mute: wait" virt-refpoint job wait "$live_guid" --timeout 1
status_is 10 "mute: nobody is killed by guess" virt-refpoint job kill \
    "$live_guid"
names "$live_guid" "$holder" 1
status_is 10 "mute: nor a process that was started at another time" \
    virt-refpoint job kill "$live_guid"
is_running "$holder" && ok "mute: it lives" || not_ok "mute: it lives"
stop_process "$holder"

# killed NAME: without an answer of it, in the time of one that does not come
killed()
{
    check "$1: kill" timeout 30 virt-refpoint job kill "$live_guid"
    wait_for 60 eval '! is_running "$holder"' && ok "$1: it is killed" ||
        not_ok "$1: it is killed"
    json 0 "$1: killed" job show "$live_guid"
    is "$(json_get .job.state_name)" Killed "$1: killed: its state"
    rm -rf "${tmp:?}/jobs/$live_guid"
}

for kind in "" deaf full; do
    record "$live_guid" 4
    holder "$live_guid" "$kind"
    names "$live_guid" "$holder" "$(start_of "$holder")"
    status_is 5 "${kind:-without a socket}: wait" \
        virt-refpoint job wait "$live_guid" --timeout 1
    killed "${kind:-without a socket}"
done

# One that hangs up on who watches, because it has too many: the record is looked
# at instead, with pauses.
record "$live_guid" 4
holder "$live_guid" busy
status_is 5 "busy: wait" virt-refpoint job wait "$live_guid" --timeout 3
calls=$(wc -c <"$tmp/jobs/$live_guid/calls")
diag "busy: $calls calls"
[ "$calls" -le 20 ] && ok "busy: it does not spin" ||
    not_ok "busy: it does not spin" "$calls calls in 3 s"
virt-refpoint job wait "$live_guid" >"$tmp/waited" 2>&1 &
waiter=$!
wait_for 60 eval '[ "$(wc -c <"$tmp/jobs/$live_guid/calls")" -gt "$calls" ]'
stop_process "$holder"
wait "$waiter"
is "$?" 1 "busy: who waits hears of its end"
like "$(cat "$tmp/waited")" "ended unexpectedly" "busy: and of what kind"
rm -rf "${tmp:?}/jobs/$live_guid"

# One that was silent for long (stopped, a disk that hangs) before it went.
record "$live_guid" 4
holder "$live_guid"
touch -d '10 minutes ago' "$tmp/jobs/$live_guid/job"
virt-refpoint job wait "$live_guid" >"$tmp/waited" 2>&1 &
waiter=$!
wait_for 60 grep -qx virt-refpoint "/proc/$waiter/comm"
stop_process "$holder"
wait "$waiter"
is "$?" 1 "silent: who waits hears of its end"
like "$(cat "$tmp/waited")" "ended unexpectedly" "silent: and of what kind"
json 0 "silent: show" job show "$live_guid"
is "$(json_get .job.state_name)" Exception "silent: its outcome is kept"
json 1 "silent: wait" job wait "$live_guid"
touch -d '302 seconds ago' "$tmp/jobs/$live_guid/found"
status_is 6 "silent: it goes 300 s after its end was found" \
    virt-refpoint job show "$live_guid"
[ ! -e "$tmp/jobs/$live_guid" ] && ok "silent: all of it" ||
    not_ok "silent: all of it"
record "$live_guid" 4
touch -d yesterday "$tmp/jobs/$live_guid/job"
json 0 "found in the morning" job show "$live_guid"
is "$(json_get .job.state_name)" Exception "found in the morning: its outcome"
rm -rf "${tmp:?}/jobs/$live_guid"

# ---- Time --------------------------------------------------------------------

record "$done_guid" 7 "ended=$(($(date +%s) - 285))"
check "285 seconds" virt-refpoint job show "$done_guid"
record "$done_guid" 7 "ended=$(($(date +%s) - 302))"
status_is 6 "302 seconds" virt-refpoint job show "$done_guid"
[ ! -e "$tmp/jobs/$done_guid" ] && ok "302 seconds: gone" ||
    not_ok "302 seconds: gone"
record "$done_guid" 7 "ended=$(($(date +%s) + 86400))"
status_is 6 "tomorrow" virt-refpoint job show "$done_guid"
mkdir -m 700 "$tmp/jobs/.new.abcdef" "$tmp/jobs/.new.ghijkl"
: >"$tmp/jobs/.new.abcdef/lock"
touch -d '5 minutes ago' "$tmp/jobs/.new.abcdef"
check "what never began" virt-refpoint job list
is "$(cd "$tmp/jobs" && echo .new*)" ".new.ghijkl" "what never began: goes"

# ---- Hostile -----------------------------------------------------------------

rm -rf "$tmp/jobs"/[0-9a-f]*
hostile=$tmp/jobs/$done_guid

# harmless DESCRIPTION: the list stands, what is meant stays
harmless()
{
    check "$1" timeout 10 virt-refpoint job list
    is "$(cat "$tmp/precious")" precious "$1: nothing else is touched"
}

echo precious >"$tmp/precious"
record "$done_guid" 7 "ended=1000"
ln -sf "$tmp/precious" "$hostile/job"
harmless "a link for a record"
mkdir -p "$tmp/folder"
cp "$tmp/precious" "$tmp/folder/lock"
rm -rf "$hostile"
ln -s "$tmp/folder" "$hostile"
harmless "a link for a folder"
is "$(ls "$tmp/folder")" lock "a link for a folder: it is not followed"
rm "$hostile"
record "$done_guid" 7 "ended=1000"
rm "$hostile/job"
mkfifo "$hostile/job"
harmless "a pipe for a record"
record "$done_guid" 7
rm "$hostile/lock"
mkfifo "$hostile/lock"
harmless "a pipe for a lock"
rm -rf "$hostile"
record "$done_guid" 7
head -c 5000000 /dev/zero | tr '\0' x >"$hostile/job"
harmless "a huge record"
record "$done_guid" 7
head -c 3000 /dev/urandom >"$hostile/job"
harmless "a record of noise"
record "$done_guid" 7
sed -i "s/^id=.*/id=$dead_guid/" "$hostile/job"
harmless "a record of another id"
record "$done_guid" 7
sed -i 's/^instance=.*/instance=<!DOCTYPE a [<!ENTITY b "c">]><INSTANCE>/' \
    "$hostile/job"
harmless "an instance that is none"
record "$done_guid" 99999999999 "ended=99999999999999"
harmless "numbers that are none"
record "$done_guid" 7 "ended=$(date +%s)"
sed -i $'s/^method=.*/method=a\033[31mb/' "$hostile/job"
sed -i "s,^domain-uuid=.*,domain-uuid=../../precious," "$hostile/job"
harmless "names that steer the terminal"
unlike "$(cat "$tmp/out")" $'\033' "names that steer the terminal: harmless"
mkdir -m 700 "$tmp/jobs/$dead_guid"
: >"$tmp/jobs/$dead_guid/lock"
harmless "a folder without a record"
chmod 750 "$tmp/jobs"
status_is 2 "a folder that others read" virt-refpoint job list
chmod 700 "$tmp/jobs"
mv "$tmp/jobs" "$tmp/elsewhere"
ln -s "$tmp/elsewhere" "$tmp/jobs"
status_is 2 "a link for the folder of all" virt-refpoint job list

done_testing
