#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Waiting for others who work on the domain: who that is, and one's turn.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
failure_start
for name in tracked one two; do
    must virt-refpoint create vm "$name" --track-only
done
service=Msvm_VirtualSystemReferencePointService

# affected POINT: the parameter of methods
affected()
{
    printf 'AffectedReferencePoint=Msvm_VirtualSystemReferencePoint.'
    printf 'InstanceID="refpoint:%s/%s",VirtualSystemIdentifier="%s"' "$uuid" \
        "$(virt-refpoint --json info vm "$1" | jq -r .point.guid)" "$uuid"
}

# slow NAME: an export that stands still until it is told to go on; $main
slow()
{
    guest_write
    slow_export_start 100 export vm "$set" --create="$1" --base=none
    wait_for 60 export_streams "$1"
    stop_between_handshakes "$main" "$record"
}

# in_line NAME COMMAND...: in the background, until it stands in line: $waiter is
# its number; output, errors and status come in $tmp/NAME.out, .err, .status
in_line()
{
    local name=$1

    shift
    rm -f "$tmp/$name".*
    {
        env --default-signal=INT "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
        echo $! >"$tmp/$name.pid"
        wait $!
        echo $? >"$tmp/$name.status"
    } 2>/dev/null &
    wait_for 60 test -s "$tmp/$name.pid"
    waiter=$(cat "$tmp/$name.pid")
    wait_for 60 eval 'readlink "/proc/$waiter/fd"/* | grep -qx "$record"'
}

# waits NAME COMMAND...: and says for whom
waits()
{
    local name=$1

    in_line "$@"
    wait_for 60 grep -q waiting "$tmp/$name.err" ||
        not_ok "$name: says that it waits" "$(cat "$tmp/$name.err")"
}

# ended NAME STATUS DESCRIPTION
ended()
{
    wait_for 180 test -s "$tmp/$1.status"
    is "$(cat "$tmp/$1.status")" "$2" "$3" ||
        diag "$(cat "$tmp/$1.err")"
}

# ---- Who it is ------------------------------------------------------------------

slow who
who="another virt-refpoint works on domain 'vm': process $main \(virt-refpoint"
who+=" export vm $set --create=who --base=none\), since 2[0-9-]{9} [0-9:]{8} [-+][0-9]{4}:"
who+=" it reads the disks"
for command in "export vm $set --no-wait" "export vm $set --wait=0" \
    "create vm no" "destroy vm tracked" "remove-data vm tracked" \
    "changes vm tracked --disk vda" "import vm $set"; do
    # shellcheck disable=SC2086
    status_is 7 "${command%% *}: in use" virt-refpoint $command
    is "$(grep -cE "^error: $who\$" "$tmp/err")" 1 \
        "${command%% *}: says whom, what, since when, at what"
    is "$(grep -c "^hint: wait until it ends, with --wait, or end it with: kill $main\$" \
        "$tmp/err")" 1 "${command%% *}: and the way out"
    is "$(wc -l <"$tmp/err")" 2 "${command%% *}: once"
done
# An export waits without being told to.
waits told virt-refpoint export vm "$set" --create=no
kill -INT "$waiter"
ended told 130 "told: ends by SIGINT"
begin=$SECONDS
status_is 7 "in vain: it is still in use" virt-refpoint create vm no --wait=2
[ $((SECONDS - begin)) -ge 2 ] && ok "in vain: it has waited" ||
    not_ok "in vain: it has waited"
like "$(sed -n 1p "$tmp/err")" "^waiting: $who\$" "in vain: says for whom"
like "$(sed -n 2p "$tmp/err")" "^error: waited 2 s in vain: $who\$" \
    "in vain: and how long"
status_is 7 "in vain, quiet" virt-refpoint -q create vm no --wait=1
is "$(grep -c waiting "$tmp/err")" 0 "in vain, quiet: it waits silently"

# ---- Until it ends, or Ctrl-C ---------------------------------------------------


waits stopped virt-refpoint create vm no --wait
is "$(guard_pid | wc -l)" 1 "stopped: it has no guard, and no job"
begin=$SECONDS
kill -INT "$waiter"
ended stopped 130 "stopped: ends by SIGINT"
[ $((SECONDS - begin)) -le 10 ] || not_ok "stopped: at once"
is "$(virsh -q checkpoint-list vm --name | grep -x no)" "" \
    "stopped: nothing was made"
waits method virt-refpoint invoke --wait "$service.DestroyReferencePoint" \
    "$(affected one)"
kill -INT "$waiter"
ended method 130 "method: ends by SIGINT, though it cannot once it works"
check "method: nothing was done" virt-refpoint info vm one

waits first virt-refpoint export vm "$set" --create=after --wait=900
in_line json virt-refpoint --json create vm json --track-only --wait
waits sync virt-refpoint invoke --wait "$service.DestroyReferencePoint" \
    "$(affected one)"
check "async: the job begins" virt-refpoint --json invoke --async --wait \
    "$service.DestroyReferencePoint" "$(affected two)"
job=$(jq -r .Job "$tmp/out")
is "$(virt-refpoint --json job show "$job" | jq -r .job.state_name)" Running \
    "async: it waits"
# What it says behind that is not overwritten any more.
: >"$tmp/err"
kill -CONT "$main"
export_finish
diag "$(tr -d '\0' <"$tmp/err")"
is "$export_end" "exited with 0" "who: ends well"
ended first 0 "after: an export waits"
check "after: its point is whole" virt-refpoint verify "$set" after
ended json 0 "json: ends well"
is "$(cat "$tmp/json.err")" "" "json: nothing is said beside the document"
is "$(jq -r '.waited.for' "$tmp/json.out" | grep -c "works on domain 'vm'")" 1 \
    "json: for whom it has waited"
[ "$(jq .waited.us "$tmp/json.out")" -gt 0 ] && ok "json: how long" ||
    not_ok "json: how long"
ended sync 0 "sync: a method waits"
check "async: a job waits" virt-refpoint job wait "$job"
is "$(virt-refpoint -q list vm --name | sort | xargs)" \
    "after full json tracked who" "all of them have done what they should"

# ---- Its turn ---------------------------------------------------------------------

# beside COMMAND...: again and again, as long as there is $tmp/beside
beside()
{
    while [ -e "$tmp/beside" ]; do
        "$@" >/dev/null 2>>"$tmp/beside.err"
        echo $? >>"$tmp/beside.status"
    done
}

touch "$tmp/beside"
rm -f "$tmp/beside".*
beside virt-refpoint changes vm json --disk vda &
one=$!
beside virt-refpoint changes vm json --disk vdb --wait &
two=$!
lost=0
for i in {1..10}; do
    guest_write
    virt-refpoint export vm "$set" --create="turn$i" --wait >"$tmp/out" \
        2>"$tmp/err" ||
        { lost=$((lost + 1)) && diag "$(cat "$tmp/err")"; }
done
rm "$tmp/beside"
wait "$one" "$two"
is "$lost" 0 "turn: no export of ten is lost beside short commands"
diag "beside: $(sort "$tmp/beside.status" | uniq -c | xargs)"
is "$(sort -u "$tmp/beside.status" | xargs)" "0 7" \
    "turn: they find it free, or in use"
next_exact turned

# ---- A job of another program --------------------------------------------------

cat >"$tmp/job.xml" <<END
<domainbackup mode='pull'>
  <server transport='unix' socket='$XDG_RUNTIME_DIR/other.sock'/>
  <disks><disk name='vda' backup='yes' type='file'>
    <scratch file='$tmp/other.scratch'/>
  </disk><disk name='vdb' backup='no'/></disks>
</domainbackup>
END
must virsh backup-begin vm "$tmp/job.xml"
waits other virt-refpoint export vm "$set" --create=other --wait
like "$(cat "$tmp/other.err")" \
    "^waiting: domain 'vm' has a backup job of another program\$" \
    "other: says for what"
status_is 8 "other: nobody is held up by who waits" \
    virt-refpoint remove-data vm json
status_is 7 "other: in vain" virt-refpoint export vm "$set" --wait=1
like "$(cat "$tmp/err")" "virsh domjobabort vm" "other: in vain: the way out"
must virsh domjobabort vm
ended other 0 "other: when it ends it goes on"
undone_job=$(job_left)
is "$undone_job" "" "other: no job is left"

# ---- Kept data -------------------------------------------------------------------

must virt-refpoint create vm kept --keep-for=600
status_is 7 "kept: longer than anybody waits" \
    virt-refpoint export vm "$set" --create=no
is "$(grep -c waiting "$tmp/err")" 0 "kept: then nobody waits"
must virt-refpoint remove-data vm kept
must virt-refpoint create vm short --keep-for=4
waits short virt-refpoint create vm behind --track-only --wait=120
ended short 0 "kept: its time is waited for"
# Nobody notes its end: who watches it has died.
must virt-refpoint create vm unwatched --keep-for=300
waits unwatched virt-refpoint create vm later --track-only --wait=900
must kill -9 "$(guard_pid)"
must virsh domjobabort vm
ended unwatched 0 "unwatched: that it is over is seen by who waits"
must virt-refpoint create vm held --hold
status_is 7 "held: nobody waits" timeout 30 \
    virt-refpoint create vm no --wait
must virt-refpoint remove-data vm held
check "the set is whole" virt-refpoint verify "$set"
done_testing
