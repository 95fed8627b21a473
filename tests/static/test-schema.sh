#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The schema of export.xml describes the attributes that the program writes.
. "$(dirname "$0")/../functions.sh"

requires python3
top=$(cd "$tests_dir/.." && pwd)

# compared MANIFEST.C SCHEMA
compared()
{
    python3 "$tests_dir/static/schema.py" "$1" "$2" 2>&1
}

# edited FILE SED EXPECTED
edited()
{
    must cp "$top/src/refpoint/set/manifest.c" "$top/data/refpoint-export.rng" \
        "$tmp"
    must chmod u+w "$tmp/manifest.c" "$tmp/refpoint-export.rng"
    must sed -i "$2" "$tmp/$1"
    is "$(compared "$tmp/manifest.c" "$tmp/refpoint-export.rng")" "$3" \
        "seen: ${3%%$'\n'*}"
}

is "$(compared "$top/src/refpoint/set/manifest.c" \
    "$top/data/refpoint-export.rng")" "" "tables and schema say the same"

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
    "disk, attribute mode: may be missing in the schema alone
disk, attribute mood: not in the tables"
edited manifest.c 's/RfpField audit_fields\[3\] = {/RfpField audit_fields[3]={/' \
    "the table of audit cannot be read"
done_testing
