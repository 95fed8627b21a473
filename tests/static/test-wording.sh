#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What others say decides in one place alone, wording.c.
. "$(dirname "$0")/../functions.sh"

cd "$tests_dir/.." || exit 1
# error.c takes our own messages apart; tracking.c reads the number of a node.
is "$(grep -nE '(strstr|strrstr|g_str_has_[a-z]+|g_regex_[a-z]+) *\(.*(message|LastError|complaint|clean|nbd_get_error)' \
    --include='*.c' -r src | grep -vE '^src/refpoint/base/(error|wording).c:|error->message, node')" \
    "" "no other source looks into messages"
# A row without the version that it was seen in is not complete.
rows=$(sed -n '/^} rows/,/^};/p' src/refpoint/base/wording.c | tr -d '\n')
is "$(grep -o '{RFP_WORDING' <<<"$rows" | wc -l)" \
    "$(grep -oE '{RFP_WORDING[A-Z_]*, *"[^}]*", *"[^"]*[0-9][^"]*"}' \
        <<<"$rows" | wc -l)" "each wording has the version it was seen in"
done_testing
