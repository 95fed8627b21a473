#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `changes`: what changed on a running guest's disks since a point.  All of it,
# in any window, and the guest is left as it was.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

must guest_define vm 2 64M
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record
guest_fill vm /mnt/vda/data 16384
must virt-refpoint export vm "$tmp/set" --create p1

# What has to be found: the clusters that differ, as "OFFSET" lines
# differing BEFORE AFTER
differing()
{
    python3 - "$1" "$2" <<'END'
import sys
a, b = (open(name, 'rb') for name in sys.argv[1:])
offset = 0
while True:
    x, y = a.read(65536), b.read(65536)
    if not x and not y:
        break
    if x != y:
        print(offset)
    offset += 65536
END
}

# missed FILE TARGET: of those offsets, what the last document does not have
missed()
{
    jq -r --arg t "$2" '.changes[] | select(.target == $t) | .extents[] |
        "\(.offset) \(.offset + .length)"' "$tmp/out" >"$tmp/extents"
    awk 'NR == FNR { from[NR] = $1; to[NR] = $2; n = NR; next }
        { for (i = 1; i <= n; i++) if ($1 >= from[i] && $1 < to[i]) next
          print }' "$tmp/extents" "$1"
}

left()
{
    virsh -q domjobinfo vm | grep -v None
    virsh -q backup-dumpxml vm 2>/dev/null
    find "$XDG_RUNTIME_DIR/virt-refpoint" \
        "$HOME/.cache/virt-refpoint/scratch" ! -type d \
        ! -name .records 2>/dev/null
    [ ! -s "$record" ] || cat "$record"
    [ "$(guest_state vm)" = running ] || [ "$(guest_state vm)" = paused ] ||
        guest_state vm
}

must guest_suspend_copy vm "$tmp/before"
guest_scribble vm /mnt/vda/data 12
guest_scribble vm /mnt/vda/data 12
# From here on nothing moves.
must virsh suspend vm
must guest_copy vm "$tmp/after"
for target in vda vdb; do
    differing "$tmp/before/$target.raw" "$tmp/after/$target.raw" \
        >"$tmp/differing.$target"
done
isnt "$(cat "$tmp/differing.vda")" "" "the guest has changed something"

check "changes of all disks" virt-refpoint --json changes vm p1
is "$(missed "$tmp/differing.vda" vda)" "" "vda: nothing is missing"
is "$(missed "$tmp/differing.vdb" vdb)" "" "vdb: nothing is missing"
is "$(result '[.changes[].target] | join(" ")')" "vda vdb" "both disks"
is "$(result '.changes[0] | "\(.size) \(.offset) \(.length)"')" \
    "67108864 0 67108864" "the whole disk was looked at"
is "$(result '[.changes[].extents[] | .offset % 65536 + .length % 65536] |
    add')" 0 "extents are whole blocks of the bitmap"
is "$(result .changed)" false "it changes nothing"
is "$(left)" "" "nothing is left"
is "$(virsh -q checkpoint-list vm --name)" p1 "and no checkpoint"
total=$(result '[.changes[0].extents[].length] | add')
is "$total" "$(virt-refpoint --json info vm p1 | jq '.point.disks[0].changed')" \
    "as many bytes as the bitmap has"
cp "$tmp/out" "$tmp/all"

check "as text" virt-refpoint changes vm p1 --disk vda
like "$(cat "$tmp/out")" "^ +0 +[0-9]+ +[01]  (clean|dirty)" \
    "in the manner of nbdinfo"
is "$(awk '{ if ($1 != end + 0) print "gap at", $1; end = $1 + $2 }
    END { print end }' "$tmp/out")" 67108864 "without gaps, to the end"
is "$(awk '$4 == "dirty" { n += $2 } END { print n }' "$tmp/out")" "$total" \
    "the same extents"
check "as text, both disks" virt-refpoint changes vm p1
is "$(awk '{ print $1 }' "$tmp/out" | uniq | paste -sd' ')" "vda vdb" \
    "the disks are named"

diag "windows"
first=$(jq '.changes[0].extents[0].offset' "$tmp/all")
check "a window" virt-refpoint --json changes vm p1 --disk vda \
    --offset $((first + 512)) --length 1024
is "$(result '.changes[0] | "\(.offset) \(.length) \(.extents | tojson)"')" \
    "$((first + 512)) 1024 [{\"offset\":$((first + 512)),\"length\":1024}]" \
    "extents are clipped to it"
for ((offset = 0; offset < 67108864; offset += 16777216)); do
    virt-refpoint --json changes vm p1 --disk vda --offset $offset \
        --length 16M | jq '.changes[0].extents[].length'
done | awk '{ n += $1 } END { print n + 0 }' >"$tmp/sum"
is "$(cat "$tmp/sum")" "$total" "add up to all of it"
check "a window at the end" virt-refpoint --json changes vm p1 --disk vda \
    --offset 64M
is "$(result '.changes[0] | "\(.length) \(.extents | length)"')" "0 0" \
    "is empty"
check "a window over the end" virt-refpoint --json changes vm p1 --disk vda \
    --offset 67100000 --length 1G
is "$(result '.changes[0].length')" $((67108864 - 67100000)) "is clipped"

# fails STATUS REGEX DESCRIPTION ARGUMENT...
fails()
{
    local status=$1 wanted=$2 description=$3

    shift 3
    status_is "$status" "$description" virt-refpoint --json changes "$@"
    like "$(result .error.message)" "$wanted" "$description: the message"
}

fails 6 "beyond the end" "an offset beyond the end" vm p1 --disk vda \
    --offset 67108865
fails 6 "no point 'p9'" "an unknown point" vm p9
fails 6 "no point 'p9'" "an unknown point, one disk" vm p9 --disk vda
fails 6 "does not track a disk 'vdz'" "an unknown disk" vm p1 --disk vdz
fails 6 "cannot find the domain" "an unknown domain" nobody p1
is "$(left)" "" "nothing is left of those"

diag "another job"
cat >"$tmp/backup.xml" <<END
<domainbackup mode='pull'>
  <server transport='unix' socket='$tmp/other.sock'/>
</domainbackup>
END
must virsh backup-begin vm "$tmp/backup.xml"
fails 7 "backup job of another program" "while another job runs" vm p1
isnt "$(virsh -q backup-dumpxml vm)" "" "that job runs on"
must virsh domjobabort vm
wait_for 60 eval '! virsh -q backup-dumpxml vm'

diag "the guest goes on"
must virsh resume vm
guest_fill vm /mnt/vdb/more 256
check "later" virt-refpoint --json changes vm p1 --disk vdb
isnt "$(result '.changes[0].extents | length')" 0 "vdb has changed now"
export_paused "increment" vm "$tmp/set" --create p2
is "$(modes)" "vda=increment vdb=increment" "exports are not disturbed"

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    diag "killed while the job runs"
    # The sixth line of the record says that the job has begun.
    (
        strace -o "$tmp/trace" -P "$record" -e trace=write \
            -e inject=write:signal=KILL:when=6 \
            virt-refpoint changes vm p1 --disk vda >/dev/null
        true
    ) 2>/dev/null
    like "$(tail -n 1 "$tmp/trace")" "killed by SIGKILL" "it is killed"
    # The guard does it, nobody calls anything.
    wait_for 60 eval '[ -z "$(left)" ]'
    is "$(left)" "" "nothing is left of a command that was killed"
else
    skip "killed while the job runs" "needs strace"
fi

diag "a broken bitmap, and a guest that is off"
must guest_kill9 vm
fails 8 "shut off" "a guest that is off" vm p1 --disk vda
must guest_start vm
fails 8 "missing or broken" "a bitmap that was lost" vm p1 --disk vda
like "$(result .error.way_out)" "make a new point" \
    "a bitmap that was lost: the way out"
is "$(left)" "" "nothing is left of those"

done_testing
