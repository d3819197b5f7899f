#!/bin/bash
# Runs a script on a copy of this machine that is thrown away: what changes there is kept in
# memory, its processes end with it, and it has no network but its own loopback. With --systemd the
# copy is booted, with the systemd that is installed here, and the script runs beside it.
#   throwaway.sh [--systemd] SCRIPT FILE...   the files are copied, and are the script's words, by
#     their new names
# Exit status 77: this machine does not let us make such a copy.
set -u
booted=no
[ "$1" = --systemd ] && { booted=yes; shift; }
script=$(readlink -f "$1"); shift

if [ -z "${INSIDE:-}" ]; then
  [ "$(id -u)" = 0 ] && unshare -m -p -n -f true 2>/dev/null || exit 77
  words=() mode=()
  for file; do words+=("$(readlink -f "$file")"); done
  [ $booted = yes ] && mode=(--systemd)
  INSIDE=yes exec unshare -m -p -n -f --mount-proc --kill-child \
    bash "$0" "${mode[@]}" "$script" "${words[@]}"
fi

at=$(mktemp -d) && mount -t tmpfs none "$at" && mkdir "$at"/{up,work,root} || exit 77
root=$at/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$at/up,workdir=$at/work" "$root" 2>/dev/null || exit 77
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs none "$root/run" && mount -t tmpfs none "$root/tmp" || exit 77
ip link set lo up 2>/dev/null || exit 77
mkdir -p "$root/srv/throwaway" && cp "$script" "$@" "$root/srv/throwaway/" || exit 77
inner=(/bin/bash "/srv/throwaway/$(basename "$script")"); for file; do inner+=("/srv/throwaway/$(basename "$file")"); done

if [ $booted = no ]; then chroot "$root" "${inner[@]}"; exit; fi

# A control group of its own, in which systemd makes what it needs, and which it takes for all
# there is.
groups=$at/groups
mkdir "$groups" && mount -t cgroup2 none "$groups" 2>/dev/null && group=$(mktemp -d "$groups/throwaway.XXXXXX") && echo $$ >"$group/cgroup.procs" || exit 77
clean_up() {
  kill -KILL ${init:-} ${outer:-} 2>/dev/null
  wait 2>/dev/null
  echo $$ >"$groups/cgroup.procs"
  for ((tries = 0; tries < 20; tries++)); do find "$group" -depth -type d -exec rmdir '{}' ';' 2>/dev/null; [ -d "$group" ] || break; sleep 0.1; done
}
trap clean_up EXIT
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys" || exit 77
rm -f "$root/etc/machine-id"
boot="mount -t proc proc $root/proc; mount -t cgroup2 none $root/sys/fs/cgroup; exec chroot $root /usr/bin/env -i container=throwaway PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target"
unshare -p -m -C -f --kill-child /bin/sh -c "$boot" >"$at/boot.log" 2>&1 </dev/null &
outer=$!
for ((tries = 0; tries < 50; tries++)); do init=$(pgrep -P $outer) && break; sleep 0.1; done
[ -n "${init:-}" ] || exit 77
enter=(nsenter -t "$init" -m -p -C -r -w) state=
for ((until = SECONDS + 60; SECONDS < until; )); do # a systemd that does not come up can hold its callers for long
  state=$(timeout -k 1 5 "${enter[@]}" /bin/systemctl is-system-running 2>/dev/null)
  case $state in running | degraded) break ;; esac
  kill -0 "$init" 2>/dev/null || exit 77
  sleep 0.1
done
case $state in running | degraded) ;; *) exit 77 ;; esac
"${enter[@]}" "${inner[@]}"
exit
