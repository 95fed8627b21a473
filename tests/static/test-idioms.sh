#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be written in two ways is written in one: pointers are compared with
# NULL, loops without a condition are for (;;), messages are in lower case.
. "$(dirname "$0")/../functions.sh"

cd "$tests_dir/.." || bail_out "no sources"
mapfile -t sources < <(find src tests -name '*.c' | LC_ALL=C sort)

is "$(grep -nE 'while \((1|TRUE)\)|for \( *; *; *\)' "${sources[@]}" |
    grep -v 'for (;;)')" "" "loops without a condition"

requires python3
is "$(python3 tests/static/messages.py "${sources[@]}")" "" "messages"
cat >"$tmp/wrong.c" <<'END'
rfp_error_set(error, 1, _("Cannot read"));
rfp_error_set(error, 1, _("it is not there."));
rfp_error_set(error, 1, _("QEMU does not answer"));
END
is "$(python3 tests/static/messages.py "$tmp/wrong.c" | cut -d : -f 2)" \
    $'1\n2' "messages: it sees those that are not so"

requires clang-query
requires pkg-config --exists glib-2.0 libvirt
# GLib's macros have conditions of their own.
macros='g_clear_pointer|G_DEFINE_AUTOPTR_CLEANUP_FUNC|g_assert'
for place in 'unaryOperator(hasOperatorName("!"), hasUnaryOperand(POINTER))' \
    'ifStmt(hasCondition(POINTER))' \
    'conditionalOperator(hasCondition(POINTER))' \
    'whileStmt(hasCondition(POINTER))' \
    'forStmt(hasCondition(POINTER))' \
    'binaryOperator(hasAnyOperatorName("&&", "||"), hasEitherOperand(POINTER))'
do
    echo "m stmt(isExpansionInMainFile(), $place)"
done | sed 's/POINTER/expr(hasType(hasCanonicalType(pointerType()))).bind("p")/' |
    cat <(printf 'set bind-root false\n') - >"$tmp/query"
read -ra flags < <(pkg-config --cflags glib-2.0 gio-2.0 gio-unix-2.0 \
    libvirt libxml-2.0 libnbd gnutls libzstd json-glib-1.0)
# pointers FILE...: places where one is asked without NULL
pointers()
{
    clang-query -f "$tmp/query" "$@" -- -std=gnu11 -I "${BUILDDIR:-build}" \
        -include config.h -I src -I src/refpoint -I src/cli -I tests/unit \
        -I tests/fuzz '-DLIBEXECDIR=""' '-DDATADIR=""' '-DLOCALEDIR=""' \
        "${flags[@]}" >"$tmp/found" 2>&1 || echo "error: $?" >>"$tmp/found"
    grep -A 1 -E 'note: "p"|error:' "$tmp/found" | grep -vE "^--|$macros" |
        grep -B 1 -E '^ |error:'
}
printf 'int f(char *p, int n);\nint f(char *p, int n)\n{\n    return n || !p;\n}\n' \
    >"$tmp/wrong.c"
like "$(pointers "$tmp/wrong.c")" 'wrong.c:4' "pointers: it sees one"
mapfile -t known < <(printf '%s\n' "${sources[@]}" |
    grep -vE '^tests/guest/(msvm-|fake|late|vanish)')
is "$(pointers "${known[@]}")" "" "pointers are compared with NULL"
done_testing
