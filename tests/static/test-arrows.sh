#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The folders of src/ are layers: what includes what, and which folder alone
# knows a library from outside. Units do not need one another in a circle, and
# each declares its functions in its own header.
. "$(dirname "$0")/../functions.sh"

requires python3
src=$(cd "$tests_dir/../src" && pwd)

# arrows [SRC [OBJECTS]]
arrows()
{
    python3 "$tests_dir/static/arrows.py" "$@" 2>&1
}

# turned FILE TARGET: an arrow more, which must not be there, is seen
turned()
{
    must cp "$src/$1" "$tmp/src/$1"
    chmod u+w "$tmp/src/$1"
    echo "#include $2" >>"$tmp/src/$1"
    is "$(arrows "$tmp/src")" "$1 may not include $2" "seen: $2 in ${1%/*}"
    must cp "$src/$1" "$tmp/src/$1"
}

is "$(arrows "$src")" "" "arrows go down"
objects=$(cd "${BUILDDIR:-$src/../build}" && pwd)/src
is "$(arrows "$src" "$objects")" "" "no circle, and each has its header"

must cp -r "$src" "$tmp/src"
chmod -R u+w "$tmp/src"
turned refpoint/image/digest.c '"set/manifest.h"'
turned refpoint/set/verify.c '"copy/copy.h"'
turned refpoint/operation/undo.c '"export/plan.h"'
turned refpoint/export/export-plan.c '"engine/import-disks.h"'
turned refpoint/cim/msvm-path.c '"virt/domain.h"'
turned refpoint/base/names.h '"image/digest.h"'
turned refpoint/engine/points.c '"msvm/msvm-job.h"'
turned refpoint/export/export.c '<libvirt/libvirt.h>'
turned refpoint/set/verify.c '<libxml/tree.h>'
turned refpoint/virt/domain.c '<libnbd.h>'
turned refpoint/image/digest.c '<gnutls/crypto.h>'
turned guard/main.c '"export/plan.h"'
turned guard/main.c '<libvirt/libvirt.h>'
turned cli/commands/cmd-list.c '"base/names.h"'
turned cli/json.c '<libvirt/libvirt.h>'
turned common/process.c '"base/names.h"'
turned refpoint/image/digest.c '"digest.h"' # without its folder

# A header that is another's, and a unit that names who calls it.
must cp "$src/refpoint/image/digest.h" "$tmp/src/refpoint/image/digest.h"
sed -i '/^rfp_digest_view(/d' "$tmp/src/refpoint/image/digest.h"
is "$(arrows "$tmp/src" "$objects")" \
    "image/digest.c: rfp_digest_view() is not in digest.h" \
    "seen: a function that another's header has"
must cp "$src/refpoint/image/digest.h" "$tmp/src/refpoint/image/digest.h"
if command -v "${CC:-gcc}" >/dev/null; then
    must cp -r "$objects/refpoint" "$tmp/objects"
    mkdir "$tmp/o" && mv "$tmp/objects" "$tmp/o/refpoint"
    echo 'int rfp_xml_parse(void); int rfp_text_clean(void);
        int rfp_text_clean(void) { return rfp_xml_parse(); }' >"$tmp/error.c"
    must "${CC:-gcc}" -c "$tmp/error.c" \
        -o "$tmp/o/refpoint/base/.libs/error.o"
    like "$(arrows "$tmp/src" "$tmp/o")" \
        'circle: [a-z/ -]*base/error base/[a-z/ -]*xml' "seen: a circle"
fi

for i in $(seq 24); do
    touch "$tmp/src/refpoint/image/another-$i.c"
done
like "$(arrows "$tmp/src")" 'refpoint/image has [34][0-9] units' "a folder is full"
done_testing
