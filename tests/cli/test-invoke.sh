#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# invoke, without a guest: names of methods and parameters, the list, the three
# forms of an answer.

. "$(dirname "$0")/functions.sh"
requires jq

service=Msvm_VirtualSystemReferencePointService
mkdir -m 700 "$tmp/jobs"
export REFPOINT_JOBS=$tmp/jobs

# answer STATUS NUMBER DESCRIPTION MESSAGE ARGUMENT...
answer()
{
    local status=$1 number=$2 description=$3 message=$4

    shift 4
    status_is "$status" "$description" virt-refpoint invoke "$@"
    like "$(cat "$tmp/out")" "^ReturnValue: +$number \(" \
        "$description: its number"
    like "$(cat "$tmp/err")" "^error: $message" "$description: its message"
}

# ---- Command lines -----------------------------------------------------------

usage "no method" "CLASS.METHOD is missing" invoke
usage "an empty method" "\[CLASS.METHOD\] is empty" invoke ""
usage "an unknown option" ".*--bogus" invoke a --bogus
status_is 64 "two forms" virt-refpoint --json invoke --xml GetError
is "$(json_get .error.message)" "--xml and --json contradict" \
    "two forms: the message"
usage "a list that is called" "--list takes a class alone" \
    invoke --list --async
usage "a list of two" "--list takes a class alone" invoke --list a b
usage "a value of a flag" "--async takes no value" invoke a --async=yes

# ---- The list ----------------------------------------------------------------

check "the list" virt-refpoint invoke --list
for method in CIM_ConcreteJob.RequestStateChange Msvm_ConcreteJob.GetErrorEx \
    "$service".{Create,Destroy,Export}ReferencePoint \
    "$service".{ImportReferencePointMetadata,RemoveAssociatedData} \
    Msvm_CollectionReferencePointService.{Create,Destroy,Export}ReferencePoint \
    Msvm_ImageManagementService.GetVirtualDiskChanges; do
    like "$(cat "$tmp/out")" $'(^|\n)'"$method"$'\n' "the list has $method"
done
like "$(cat "$tmp/out")" "in, out +ResultingReferencePoint +reference" \
    "the list has directions and types"
like "$(cat "$tmp/out")" "out +ChangedByteOffsets +uint64\[\]" \
    "the list has arrays"
check "the list of a class" virt-refpoint invoke --list \
    msvm_imagemanagementservice
is "$(grep -c '^[^ ]' "$tmp/out")" 1 "the list of a class: one method"
status_is 6 "the list of no class" virt-refpoint invoke --list Msvm_Bogus
json 0 "the list in JSON" invoke --list
is "$(jq '[.methods[] | select(.class == "'"$service"'")] | length' \
    "$tmp/out")" 5 "the list in JSON: methods of the service"
is "$(json_get '.methods[] | select(.name == "GetVirtualDiskChanges")
    | .parameters[] | select(.name == "Path") | [.type, .in, .out, .array]
    | map(tostring) | join(" ")')" "string true false false" \
    "the list in JSON: a parameter"
json 6 "the list of no class in JSON" invoke --list Msvm_Bogus

# ---- Names -------------------------------------------------------------------

answer 6 32773 "no such method" "there is no method 'Bogus'" Bogus
answer 6 32773 "no such class" "there is no method 'Bogus.GetError'" \
    Bogus.GetError
answer 6 32773 "no class of jobs" "there is no method 'BogusJob.GetError'" \
    BogusJob.GetError
answer 6 4 "two have it" "several classes have a method 'createref" \
    createreferencepoint
answer 6 32773 "no such parameter" ".*has no in parameter 'Bogus'" \
    "$service.ExportReferencePoint" Bogus=1
answer 6 32773 "an out parameter" ".*has no in parameter 'Job'" \
    "$service.ExportReferencePoint" Job=1
answer 6 32773 "no value" "'ReferencePoint' is not PARAM=VALUE" \
    "$service.ExportReferencePoint" ReferencePoint
answer 6 32773 "twice" "ReferencePoint is no array and is given twice" \
    "$service.ExportReferencePoint" ReferencePoint=1 referencepoint=2
answer 6 4 "Create counts in its own set" ".*has no in parameter 'Bogus'" \
    "$service.CreateReferencePoint" Bogus=1
answer 6 4 "Destroy of a collection, too" ".*has no in parameter 'Bogus'" \
    Msvm_CollectionReferencePointService.DestroyReferencePoint Bogus=1
answer 6 32773 "Export of a collection not" ".*has no in parameter 'Bogus'" \
    Msvm_CollectionReferencePointService.ExportReferencePoint Bogus=1
answer 6 32773 "an object of a service" ".*is not called on an object" \
    "$service.ExportReferencePoint" --path x
for name in "$service.EXPORTREFERENCEPOINT" GetVirtualDiskChanges \
    msvm_imagemanagementservice.getvirtualdiskchanges; do
    answer 10 32777 "$name is found" "cannot connect" -c "$no_daemon" "$name"
done
answer 1 2 "Create, not available: Failed is all its set has" "cannot connect" -c "$no_daemon" \
    "$service.CreateReferencePoint" referencepointtype=1
answer 3 32770 "another driver" "'test:///default' is served" \
    -c test:///default "$service.DestroyReferencePoint"

# ---- Files -------------------------------------------------------------------

answer 6 32773 "no file" "cannot read '$tmp/none'" \
    GetVirtualDiskChanges "Path=@$tmp/none"
answer 6 32773 "a folder" "cannot read '$tmp'" GetVirtualDiskChanges \
    "Path=@$tmp"
head -c 1048576 /dev/zero >"$tmp/1M"
answer 10 32777 "a file of 1 MiB" "cannot connect" -c "$no_daemon" \
    GetVirtualDiskChanges "Path=@$tmp/1M"
echo >>"$tmp/1M"
answer 6 32773 "a larger one" "'$tmp/1M' is larger than 1048576 bytes" \
    -c "$no_daemon" GetVirtualDiskChanges "Path=@$tmp/1M"
answer 10 32777 "@@ is no file" "cannot connect" -c "$no_daemon" \
    GetVirtualDiskChanges "Path=@@none"
answer 10 32777 "an empty value" "cannot connect" -c "$no_daemon" \
    GetVirtualDiskChanges Path=

# ---- Methods of jobs ---------------------------------------------------------

answer 6 32773 "no job" "Job is missing" GetError
answer 6 32773 "no id" "'xyz' is neither the id of a job" \
    CIM_ConcreteJob.GetError Job=xyz
answer 6 32773 "no such job" "there is no job '1234'" GetErrorEx Job=1234
answer 6 32773 "no such job by its path" "there is no job 'Msvm_Conc" \
    Msvm_ConcreteJob.RequestStateChange RequestedState=2 \
    --path 'Msvm_ConcreteJob.InstanceID="refpoint-job:1f0c9a3e-0000-0000-0000-000000000000"'
answer 6 32773 "two jobs" "the job is given twice" GetError Job=1234 \
    --path 5678

# ---- Jobs of their own -------------------------------------------------------

answer 10 32777 "--async without a daemon" "cannot connect" -c "$no_daemon" \
    --async "$service.ExportReferencePoint"
answer 3 32770 "--async with another driver" "'test:///default' is served" \
    -c test:///default --async "$service.ExportReferencePoint" \
    ReferencePoint=x
is "$(ls -A "$tmp/jobs")" "" "--async: nothing is left of what did not begin"
chmod 755 "$tmp/jobs"
answer 2 32769 "--async, a folder that others read" ".*not a folder of this" \
    -c "$no_daemon" --async "$service.ExportReferencePoint"
chmod 700 "$tmp/jobs"
status_is 64 "the hidden command" virt-refpoint job-process
like "$(cat "$tmp/err")" "unknown command: job-process" \
    "the hidden command is not for people"
unlike "$(virt-refpoint help)" job-process "the hidden command is not shown"

# ---- Forms -------------------------------------------------------------------

status_is 6 "a failure in JSON" virt-refpoint --json invoke Bogus
is "$(jq -s length "$tmp/out")" 1 "a failure in JSON: one document"
is "$(validate)" "" "a failure in JSON: valid"
is "$(json_get .ReturnValue)" 32773 "a failure in JSON: its number"
is "$(json_get .Error.cause)" invalid-parameter "a failure in JSON: its cause"
is "$(cat "$tmp/err")" "" "a failure in JSON: nothing on standard error"
status_is 10 "no daemon in JSON" virt-refpoint --json -c "$no_daemon" invoke \
    --async "$service.ExportReferencePoint"
is "$(validate)" "" "no daemon in JSON: valid"
isnt "$(json_get .Error.libvirt_code)" 0 \
    "no daemon in JSON: what the process knew"
for form in Bogus "$service.ExportReferencePoint"; do
    status_is 6 "$form in XML" virt-refpoint invoke --xml "$form" 'a<&"=1'
    if command -v xmllint >/dev/null; then
        is "$(xmllint --xpath 'string(/METHODRESPONSE/RETURNVALUE/VALUE)' \
            "$tmp/out" 2>&1)" 32773 "$form in XML: well-formed"
    else
        skip "$form in XML: well-formed" "needs xmllint"
    fi
done
status_is 6 "-q" virt-refpoint -q invoke Bogus
is "$(cat "$tmp/out")" "" "-q: out parameters only"

done_testing
