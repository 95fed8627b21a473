#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The schema of export.xml and its manual describe the attributes that the
# program writes, and the golden files of the tests have them.
. "$(dirname "$0")/../functions.sh"

requires python3
top=$(cd "$tests_dir/.." && pwd)

must cp "$top/src/refpoint/set/manifest.c" "$top/data/refpoint-export.rng" \
    "$top/data/man/refpoint-export.5" \
    "$tests_dir"/data/manifest/{full,group,increment,sealed}.xml "$tmp"
must chmod u+w "$tmp"/*

# compared: what is said of the copies
compared()
{
    python3 "$tests_dir/static/schema.py" "$tmp/manifest.c" \
        "$tmp/refpoint-export.rng" "$tmp/refpoint-export.5" "$tmp"/*.xml 2>&1
}

whole=$(compared)
is "$whole" "" "tables, schema, manual and golden files say the same"

# edited FILE SED EXPECTED: among what is said first
edited()
{
    must cp "$tmp/$1" "$tmp/kept"
    must sed -i "$2" "$tmp/$1"
    is "$(diff <(cat <<<"$whole") <(compared) | sed -n 's/^> //p' |
        head -n 1)" "$3" "seen: $3"
    must mv "$tmp/kept" "$tmp/$1"
}

edited manifest.c '/RfpManifestVm, folder,/i\    RFP_FIELD(RfpManifestVm, x, "late", token),' \
    "vm, attribute late: not in the schema"
edited manifest.c '/RfpManifestVm, folder,/d' \
    "vm, attribute folder: not in the tables"
edited manifest.c 's/RfpManifestVm, folder, "folder", folder/&, .optional = TRUE/' \
    "vm, attribute folder: may be missing, but not in the schema"
edited manifest.c '/"parent", guid, /s/, .optional = TRUE//' \
    "set, attribute parent: may be missing in the schema alone"
edited refpoint-export.rng '/<name ns="">consistency</d' \
    "point, attribute consistency: any value passes the schema"
edited refpoint-export.rng 's/<name ns="">consistency</<name>consistency</' \
    "point, attribute consistency: any value passes the schema"
edited refpoint-export.rng 's/<name ns="">consistency</&\/name><name ns="">early</' \
    "point, attribute early: not in the schema"
edited refpoint-export.rng '/<element name="image">/,/<ref name="below-disks"/s|<ref name="below-disks"/>|<optional>&</optional>|' \
    "image, attribute path: may be missing in the schema alone"
edited refpoint-export.rng '0,/<attribute name="mode">/s//<attribute name="mood">/' \
    "disk, attribute mode: may be missing in the schema alone"
edited manifest.c 's/RfpField audit_fields\[3\] = {/RfpField audit_fields[3]={/' \
    "the table of audit cannot be read"
edited refpoint-export.5 's/^\(.It Sy vm Ar .*\) secrets /\1 /' \
    "vm, attribute secrets: not in the manual"
edited refpoint-export.5 's/^.It Sy vm Ar .*/& late/' \
    "vm, attribute late: in the manual alone"
edited sealed.xml 's/ set-file=/ other=/' \
    "integrity, attribute set-file: in no golden file"
done_testing
