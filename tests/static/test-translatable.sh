#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What can be translated is: every source is listed, no message is cut, and the
# translations that come along are whole.
. "$(dirname "$0")/../functions.sh"

requires xgettext
requires msgmerge
requires python3
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

grep -rlwE '_|N_|ngettext' src --include='*.c' |
    xargs grep -lE '\b(_|N_|ngettext)\("|\b(_|N_)\($' |
    LC_ALL=C sort >"$tmp/sources"
grep -v '^#' po/POTFILES.in | LC_ALL=C sort >"$tmp/listed"
is "$(comm -23 "$tmp/sources" "$tmp/listed")" "" "POTFILES.in has every source"

must xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ \
    --keyword=ngettext:1,2 --keyword=dngettext:2,3 \
    --files-from=po/POTFILES.in --output="$tmp/all.pot"
# xgettext stops at a macro that it does not know.
is "$(grep -E '%"$' "$tmp/all.pot")" "" "no message ends in a bare %"

# shellcheck disable=SC2012
commands=$(ls src/cli/commands/cmd-*.c | sed 's,.*/cmd-\(.*\)\.c,\1,' | xargs)
while read -r language; do
    must msgmerge -q --no-fuzzy-matching -o "$tmp/$language.po" \
        "po/$language.po" "$tmp/all.pot"
    check "$language: correct" msgfmt --check -o /dev/null "$tmp/$language.po"
    is "$(msgattrib --untranslated "$tmp/$language.po" | grep -c "^msgid")" 0 \
        "$language: whole"
    is "$(python3 tests/static/po-words.py "po/$language.po" "$commands")" "" \
        "$language: what is typed is not translated"
done < <(grep -v '^#' po/LINGUAS | tr ' ' '\n' | grep .)
done_testing
