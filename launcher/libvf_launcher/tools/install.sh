#!/bin/sh
# Installs the guest tools on Linux: mount this CD, then `sudo sh install.sh [USER]`. USER gets the ssh keys: root where
# none is given and nobody used sudo. Each step says what it did or why it was skipped, here and in
# /var/log/libvf-guest-tools.log; running it again changes nothing. Exit code: how many steps failed.

here=$(cd "$(dirname "$0")" && pwd)
user=${1:-${SUDO_USER:-root}}
log=/var/log/libvf-guest-tools.log
failed=0

say() { echo "$1"; echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $1" >> "$log"; }

step() {
	if told=$("$2" 2>&1); then
		say "$1: $told"
	else
		failed=$((failed + 1))
		say "$1: FAILED: $told"
	fi
}

install_package() {
	for manager in apt-get dnf zypper pacman apk; do
		command -v "$manager" > /dev/null || continue
		case $manager in
			apt-get) DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$1" > /dev/null ;;
			dnf) dnf -q install -y "$1" > /dev/null ;;
			zypper) zypper -q --non-interactive install "$1" > /dev/null ;;
			pacman) pacman -S --quiet --noconfirm --needed "$1" > /dev/null ;;
			apk) apk add --quiet "$1" ;;
		esac
		return
	done
	echo "no package manager that this script knows: install $1 by hand"
	return 1
}

guest_agent() {
	if command -v qemu-ga > /dev/null; then
		echo "is there already"
		return
	fi
	install_package qemu-guest-agent || return 1
	if command -v systemctl > /dev/null; then
		systemctl start qemu-guest-agent || return 1
	fi
	echo "installed"
}

ssh_keys() {
	if ! [ -f "$here/authorized_keys" ]; then
		echo "skipped: spec.guestTools.sshKeys names no Secret"
		return
	fi
	home=$(getent passwd "$user" | cut -d: -f6)
	if [ -z "$home" ]; then
		echo "there is no user $user: give another one's name"
		return 1
	fi
	group=$(id -g "$user")
	[ -d "$home/.ssh" ] || install -d -m 0700 -o "$user" -g "$group" "$home/.ssh" || return 1
	place=$home/.ssh/authorized_keys
	[ -f "$place" ] || install -m 0600 -o "$user" -g "$group" /dev/null "$place" || return 1
	[ -z "$(tail -c 1 "$place")" ] || echo >> "$place"
	new=0
	while read -r key || [ -n "$key" ]; do
		[ -z "$key" ] && continue
		grep -qxF -- "$key" "$place" && continue
		echo "$key" >> "$place" || return 1
		new=$((new + 1))
	done < "$here/authorized_keys"
	echo "$new new keys for $user"
}

stay_awake() {
	if ! command -v systemctl > /dev/null; then
		echo "skipped: no systemd"
		return
	fi
	systemctl --quiet mask sleep.target suspend.target hibernate.target hybrid-sleep.target || return 1
	echo "sleep and hibernation are off"
}

if [ "$(id -u)" != 0 ]; then
	echo "root is needed: sudo sh $0" >&2
	exit 5
fi
say "libvf guest tools"
step "QEMU guest agent" guest_agent
step "ssh" ssh_keys
step "power" stay_awake
say "done, $failed failed"
exit "$failed"
