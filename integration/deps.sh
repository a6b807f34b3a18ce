#!/bin/sh
# Installs the Debian packages that the demo and the tests use, or says which are
# missing: whoever is not root, or not on Debian, has to install them by hand.
#
#	deps.sh           for all but:
#	deps.sh kernel    and for the tests in a virtual machine
#	deps.sh bench     and the programs that burnfs is compared with
set -eu

PATH=$PATH:/usr/sbin:/sbin # where the daemons are, also for those who are not root
missing=
need() { # command package
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need fusermount3 fuse3
need rsync rsync
need xorriso xorriso
need genisoimage genisoimage
need mkzftree zisofs-tools
need isoinfo genisoimage
need isovfy genisoimage
need iso-info libcdio-utils
need growisofs growisofs
need bsdtar libarchive-tools
need 7z p7zip-full
need setfattr attr
need setfacl acl
need iscsi-ls libiscsi-bin
need unshare util-linux
need setpriv util-linux
need stress-ng stress-ng
need fio fio
need sqlite3 sqlite3
if [ "${1-}" = kernel ]; then
	need qemu-system-x86_64 qemu-system-x86
	need xz xz-utils
	need iscsiadm open-iscsi
	need tgtd tgt
	need dvd+rw-mediainfo dvd+rw-tools
	need wodim wodim
	need cdrskin cdrskin
fi

if [ "${1-}" = bench ]; then
	need fuse-overlayfs fuse-overlayfs
	need unionfs-fuse unionfs-fuse
	need fuseiso fuseiso
	need cc gcc
	need cc libc6-dev
	need pkg-config pkg-config
	# The source of libfuse's example, which is built when it is needed.
	[ -e /usr/share/doc/libfuse3-dev/examples/passthrough_ll.c ] || missing="$missing libfuse3-dev"
fi

[ -n "$missing" ] || exit 0
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "Please install these packages first: $missing" >&2
	exit 1
fi
echo "installing: $missing"
export DEBIAN_FRONTEND=noninteractive
# The daemons among the packages are for the tests alone: none is to run here.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
output=$(apt-get update -qq 2>&1 && apt-get install -y -qq --no-install-recommends $missing 2>&1) || {
	printf '%s\n' "$output" >&2
	exit 1
}
