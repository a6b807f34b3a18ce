#!/bin/sh
# Makes the images of this directory anew, whose files are those that Files of
# package zisofstest makes. The images are kept because the tools of tomorrow may write
# others. mkzftree is in Debian's zisofs-tools.
set -eu
export LC_ALL=C.UTF-8 TZ=UTC
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$out/.."
WRITE_FILES=$work/source go test -count=1 -run '^TestWriteFiles$' .
cd "$work"
find source -exec touch -d 2010-11-12T13:14:15Z {} +

pack() { gzip -9n <"$1.iso" >"$out/$1.iso.gz"; }

make() { # name, parameters of -zisofs
	xorriso -outdev "$1.iso" -padding 0 -md5 on -zisofs "$2" -map source / \
		-find / -type f -exec set_filter --zisofs -- -commit 2>/dev/null
	pack "$1"
}
make xorriso-32k block_size=32k
make xorriso-128k block_size=128k
make xorriso-v2 version_2=on:block_size_v2=64k
make xorriso-z2 version_2=on:susp_z2=on:block_size_v2=1m
mkzftree source packed
genisoimage -quiet -z -R -o genisoimage.iso packed
pack genisoimage
