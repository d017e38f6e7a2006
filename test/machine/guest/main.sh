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
cat /sys/firmware/qemu_fw_cfg/by_name/opt/machine/command/raw >/run/command.sh
bash /run/command.sh </dev/null >/dev/console 2>&1
status=$?
# A program that has crashed is one that the emulator has let down.
dmesg | grep -E 'segfault at|traps: ' >/dev/console
echo "MACHINE-EXIT $status" >/dev/console
# Waits until the line has sent all of it: what is still in its buffer is lost with the power.
stty -F /dev/ttyS0 sane
/initrd/bin/busybox poweroff -f
