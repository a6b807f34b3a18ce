#!/bin/sh
# Makes the images of this directory anew, and source.txt, which says what is in
# them. Needs root, for devices, and a file system with attributes for temporary
# files. The images are kept because the tools of tomorrow may write others.
set -eu
export LC_ALL=C.UTF-8 TZ=UTC
out=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir source source/dir source/dir/empty
printf 'hello\n' >source/hello.txt
: >source/empty
head -c 5000 /dev/zero | tr '\0' x >source/three-blocks
printf 'n' >"source/$(printf 'n%.0s' $(seq 250)).text"
printf 'u' >source/grüße
printf 'i' >source/dir/inside
ln source/hello.txt source/dir/hardlink
ln -s ../hello.txt source/dir/symlink
ln -s /absolute/./path/.. source/absolute
mkfifo source/fifo
mknod source/null c 1 3
mknod source/disk b 8 17
mknod source/wide c 300 70000
deep=source
for level in 1 2 3 4 5 6 7 8 9 10; do
	deep=$deep/deep$level
	mkdir $deep
done
printf 'bottom' >$deep/bottom
chown 1000:70000 source/hello.txt
chmod 4750 source/hello.txt
setfattr -n user.note -v text source/hello.txt
setfacl -m u:1234:r source/dir/inside
find source -exec touch -h -d 2010-11-12T13:14:15Z {} +

find source -mindepth 1 -printf '%y %m %U %G %n %s %T@ %P\t%l\n' | sort -k8 >"$out/source.txt"

pack() { # keeps the first blocks of an image
	head -c "$2" "$1.iso" | gzip -9n >"$out/$1.iso.gz"
}
all=9999999

genisoimage -quiet -R -o genisoimage-rr.iso source
pack genisoimage-rr $all
genisoimage -quiet -J -joliet-long -o genisoimage-joliet.iso source 2>/dev/null
pack genisoimage-joliet $all
genisoimage -quiet -iso-level 1 -o genisoimage-plain.iso source 2>/dev/null
pack genisoimage-plain $all
xorriso -outdev xorriso-110.iso -padding 0 -map source / -commit 2>/dev/null
pack xorriso-110 $all
xorriso -compliance new_rr -joliet on -md5 on -xattr on -acl on -hardlinks on -padding 0 \
	-outdev xorriso-112.iso -map source / -commit 2>/dev/null
pack xorriso-112 $all
bsdtar --format=iso9660 --options=iso9660:rockridge=strict -cf bsdtar.iso -C source \
	--exclude ./deep1 . 2>/dev/null
pack bsdtar $all

# Two sessions, the second with a file less and one more. On write-once media the
# second begins where the drive says; the image is as the medium would be.
mkdir first second
printf 'kept' >first/kept
printf 'old' >first/replaced
printf 'gone' >first/dropped
printf 'new!' >second/replaced
printf 'added' >second/added
genisoimage -quiet -R -J -no-pad -o genisoimage-sessions.iso first
truncate -s $((300 * 2048)) genisoimage-sessions.iso
genisoimage -quiet -R -J -no-pad -C 0,300 -M genisoimage-sessions.iso -o second.iso second
cat second.iso >>genisoimage-sessions.iso
pack genisoimage-sessions $all

# On overwritable media xorriso begins at block 32 and copies the newest
# descriptors to block 0.
xorriso -md5 on -padding 0 -outdev xorriso-sessions.iso -map first / -commit \
	-rm dropped -- -map second/added added -update second/replaced replaced -commit 2>/dev/null
pack xorriso-sessions $all

# A file of several sections, which genisoimage does not make: only the tree is kept.
mkdir large
truncate -s $((5 * 1024 * 1024 * 1024 + 7)) large/five-gib
printf s >large/small
xorriso -as mkisofs -quiet -R -J -iso-level 3 -o - large 2>/dev/null | head -c 400000 >xorriso-sections.iso || true
pack xorriso-sections $all
