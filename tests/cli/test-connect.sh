#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Connections that are none: status, message, way out.

. "$(dirname "$0")/functions.sh"

commands=(
    "list"
    "list vm"
    "info vm point"
    "create vm --track-only"
    "destroy vm point"
    "export vm $tmp/set"
    "group list"
    "group show web"
    "group set web vm"
)

for command in "${commands[@]}"; do
    # shellcheck disable=SC2086
    status_is 10 "no daemon: $command" virt-refpoint -c "$no_daemon" $command
    like "$(cat "$tmp/err")" "^error: .*"$'\n'"hint: " \
        "no daemon: $command: error and way out"
    unlike "$(cat "$tmp/err")" $'[\x01-\x09\x0b-\x1f]' \
        "no daemon: $command: no control characters"
    is "$(cat "$tmp/out")" "" "no daemon: $command: no output"
    # shellcheck disable=SC2086
    status_is 3 "test driver: $command" \
        virt-refpoint $command -c test:///default
    like "$(cat "$tmp/err")" "^error: .*test:///default" \
        "test driver: $command: the URI is named"
done
[ ! -e "$tmp/set" ]
is $? 0 "nothing was made"

LIBVIRT_DEFAULT_URI=test:///default \
    status_is 3 "the URI of the environment" virt-refpoint list
status_is 10 "-c counts more" env LIBVIRT_DEFAULT_URI=test:///default \
    virt-refpoint list -c "$no_daemon"
status_is 3 "the last -c counts" \
    virt-refpoint -c "$no_daemon" list -c test:///default
status_is 10 "a URI that is none" virt-refpoint -c nonsense: list

LIBVIRT_DEFAULT_URI=$no_daemon status_is 10 "no daemon at the default URI" \
    virt-refpoint list
like "$(cat "$tmp/err")" \
    "^error: cannot connect to libvirt at ${no_daemon//[+?]/.}: .*-c '${no_daemon//[+?]/.}' uri" \
    "no daemon at the default URI: error and way out name it"

# Another host's is refused before anybody is asked for a password.
mkdir "$tmp/bin"
cat >"$tmp/bin/ssh" <<END
#!/bin/sh
echo called >>"$tmp/ssh"
exit 255
END
chmod +x "$tmp/bin/ssh"
for uri in qemu+ssh://root@far.example/{system,session} \
    qemu+libssh2://far.example/system qemu+tls://far.example/system \
    qemu://far.example/system qemu+ssh:///system; do
    PATH=$tmp/bin:$PATH status_is 3 "another host: $uri" \
        virt-refpoint -c "$uri" list
    like "$(cat "$tmp/err")" \
        "^error: '${uri//+/.}' is on another host.*"$'\n'"hint: run virt-refpoint on" \
        "another host: $uri: error and way out"
done
like "$(virt-refpoint -c qemu+ssh://root@far.example/system list 2>&1)" \
    "hint: .*far\.example'" "another host: its name"
PATH=$tmp/bin:$PATH LIBVIRT_DEFAULT_URI=qemu+ssh://far.example/system \
    status_is 3 "another host by default" virt-refpoint list
[ ! -e "$tmp/ssh" ]
is $? 0 "ssh was not called"

# A daemon that is being restarted takes a connection, and resets it.
cat >"$tmp/restarting.py" <<'END'
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
while True:
    listener.accept()[0].close()
    print("taken", flush=True)
END
python3 "$tmp/restarting.py" "$tmp/socket" >"$tmp/taken" &
cleanup_fn stop_process $!
wait_for 60 grep -q ready "$tmp/taken"
status_is 10 "connections that are reset" \
    virt-refpoint -c "qemu:///system?socket=$tmp/socket" list
like "$(cat "$tmp/err")" "^error: .*"$'\n'"hint: " \
    "connections that are reset: error and way out"
# shellcheck disable=SC2317
taken()
{
    [ "$(grep -c taken "$tmp/taken")" = "$1" ]
}
check "it was asked three times" wait_for 60 taken 3

done_testing
