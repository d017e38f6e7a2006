# Runs as PID 1 in the real root: what cannot come from the host's root, then the command given by QEMU.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
hostname machine
ip link set lo up
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
modprobe -a configfs nvmet nvmet-tcp nvme-tcp ext4 xfs loop virtio_blk
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
# Loop devices of a devtmpfs appear on demand; these paths may come from the host's image and are not of this machine.
rm -f /etc/nvme/hostnqn /etc/nvme/hostid
exec 3</dev/ttyS0
stty -F /dev/ttyS0 -echo
while echo MACHINE-NEXT >/dev/console && read -r command <&3; do
  bash -c "$command" </dev/null 3<&- >/dev/console 2>&1
  status=$?
  # A program that has crashed is one that the emulator has let down.
  dmesg -c | grep -E 'segfault at|traps: ' >/dev/console
  echo "MACHINE-EXIT $status" >/dev/console
done
