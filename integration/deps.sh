#!/bin/sh
# Installs the Debian packages that the demo and the tests use, or says which are
# missing: whoever is not root, or not on Debian, has to install them by hand.
set -eu

missing=
need() { # command package
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need fusermount3 fuse3
need rsync rsync
need xorriso xorriso
need genisoimage genisoimage
need isoinfo genisoimage
need growisofs growisofs
need bsdtar libarchive-tools
need 7z p7zip-full
need setfattr attr
need setfacl acl
need unshare util-linux
need setpriv util-linux

[ -n "$missing" ] || exit 0
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "Please install these packages first: $missing" >&2
	exit 1
fi
echo "installing: $missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $missing >/dev/null
