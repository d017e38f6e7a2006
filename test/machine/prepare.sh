#!/usr/bin/env bash
# prepare.sh OUT [KERNEL-SERIES]: a Debian kernel and an initrd with the modules the scenarios need, in OUT.
# KERNEL-SERIES is 6.1 or 6.12 (default: the newest cloud kernel that Debian offers). Needs root and apt.
# Everything is stored unpacked (vmlinux, modules, cpio): under emulation nothing should be decompressed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1 series=${2:-}

modules=(
  virtio_pci virtio_blk virtio_rng virtiofs fuse overlay
  ext4 xfs btrfs loop crc32c-intel crc32c_generic crc32_generic
  configfs nvme-core nvme-fabrics nvme-tcp nvmet nvmet-tcp
  dm-mod dm-multipath dm-service-time dm-delay dm-flakey
)

packages=(qemu-system-x86 busybox-static cpio kmod zstd xz-utils lz4 nvme-cli dmsetup
  e2fsprogs xfsprogs btrfs-progs util-linux mount iproute2 procps)

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

newest_kernel() {
  apt-cache search --names-only "^linux-image-${series:-6}[.][0-9.+~a-z-]*cloud-amd64\$" |
    awk '{print $1}' | sort -V | tail -1
}

# An x86 bzImage holds a compressed ELF kernel; booting that directly skips the slow decompressor.
extract_kernel() {
  local image=$1 setup offset length
  setup=$(od -An -tu1 -j497 -N1 "$image")
  offset=$(($(od -An -tu4 -j584 -N4 "$image") + (setup + 1) * 512))
  length=$(od -An -tu4 -j588 -N4 "$image")
  local magic
  magic=$(od -An -tx1 -j"$offset" -N2 "$image" | tr -d ' ')
  # The payload ends with its unpacked size (4 bytes), which only gzip expects there.
  case $magic in
    28b5) payload "$image" "$offset" "$((length - 4))" | zstd -dc ;;
    fd37) payload "$image" "$offset" "$((length - 4))" | xz -dc --single-stream ;;
    0221) payload "$image" "$offset" "$((length - 4))" | lz4 -dc ;;
    1f8b) payload "$image" "$offset" "$length" | gzip -dc ;;
    *) echo "Cannot unpack $image: compression $magic is not known" >&2 && return 1 ;;
  esac
}
payload() { dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none; }

copy_modules() { # KERNEL-DIR VERSION ROOT
  local file relative module
  for module in "${modules[@]}"; do
    modprobe -d "$1" -S "$2" --show-depends "$module" 2>/dev/null || true
  done | awk '$1 == "insmod" {print $2}' | sort -u | while read -r file; do
    relative=${file#"$1"}
    mkdir -p "$3/$(dirname "$relative")"
    case $file in
      *.xz) xz -dc "$file" >"$3/${relative%.xz}" ;;
      *) cp "$file" "$3/$relative" ;;
    esac
  done
  cp "$1/lib/modules/$2"/modules.{builtin,builtin.modinfo,order} "$3/lib/modules/$2/"
  depmod -b "$3" "$2"
}

make_initrd() { # KERNEL-DIR VERSION
  local root=$work/root applet
  mkdir -p "$root"/{bin,proc,sys,dev,run,lower,rw,newroot}
  cp /bin/busybox "$root/bin/busybox"
  for applet in sh mount mkdir cat echo modprobe uname chroot poweroff; do ln -s busybox "$root/bin/$applet"; done
  copy_modules "$1" "$2" "$root"
  cp "$here/guest/init" "$here/guest/main.sh" "$root/"
  chmod +x "$root/init"
  (cd "$root" && find . -print0 | sort -z | cpio --null -o -H newc --quiet)
}

install_packages
kernel=$(newest_kernel)
[ -n "$kernel" ] || { echo "Cannot prepare the machine: Debian offers no cloud kernel ${series:-6.x}" >&2; exit 1; }
# What the initrd is made from is its name: another kernel or rig makes another one.
stamp="$kernel $(cat "$0" "$here"/guest/* | sha256sum | cut -c1-16)"
if [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && apt-get download -qq "$kernel" 2>/dev/null)
dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
version=$(ls "$work/kernel/lib/modules")
depmod -b "$work/kernel" "$version"
mkdir -p "$out"
extract_kernel "$work/kernel/boot/vmlinuz-$version" >"$out/vmlinux"
make_initrd "$work/kernel" "$version" >"$out/initrd.cpio"
echo "$version" >"$out/version"
echo "$stamp" >"$out/stamp"
