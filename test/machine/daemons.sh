#!/usr/bin/env bash
# daemons.sh OUT: Debian's udev, LVM and multipath-tools with the libraries that only they need, unpacked in OUT. Nothing is installed:
# their packages would start services on this host. Laid out as on a merged /usr, for a machine to copy over its root.
set -euo pipefail
out=$1
packages=(udev dmsetup lvm2 libdevmapper-event1.02.1 multipath-tools kpartx libaio1 libedit2 libbsd0 libmd0 libjson-c5 liburcu8)

# What is unpacked is its stamp: another list, or another way to unpack, makes it anew.
stamp=$(sha256sum <"$0" | cut -c1-16)
if [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

download() { (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}" >&2); }

download || { apt-get update -qq && download; } || {
  echo "Cannot prepare the machine: apt cannot download ${packages[*]}, which the trials beside the host's daemons need" >&2
  exit 1
}
mkdir -p "$work"/root/usr/{bin,sbin,lib}
for folder in bin sbin lib; do ln -s "usr/$folder" "$work/root/$folder"; done
for package in "$work"/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink --exclude '*/hwdb.d/*' --exclude './usr/share/*' -C "$work/root"
done
ln -sf ../../bin/udevadm "$work/root/usr/lib/systemd/systemd-udevd"
rm "$work"/root/{bin,sbin,lib}
echo "$stamp" >"$work/root/stamp"
rm -rf "$out" && mkdir -p "$(dirname "$out")" && mv "$work/root" "$out"
