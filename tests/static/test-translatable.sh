#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# No message is cut, and the translations that come along are whole.
. "$(dirname "$0")/../functions.sh"

requires xgettext
requires msgmerge
requires python3
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

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
    is "$(msgattrib --untranslated --no-wrap "$tmp/$language.po" |
        sed -n 's/^msgid "\(..*\)"$/\1/p')" "" "$language: whole"
    is "$(python3 tests/static/po-words.py "po/$language.po" "$commands")" "" \
        "$language: what is typed is not translated"
done < <(grep -v '^#' po/LINGUAS | tr ' ' '\n' | grep .)
done_testing
