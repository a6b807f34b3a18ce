#!/bin/sh
# Makes a disc of two sessions with the burnfs at hand: an ISO file with what its own
# extensions record. Run as: make-disc.sh BURNFS OUT.iso
# Needs a mount, and gzip -n9 afterwards. A disc that was made once is never made again:
# it shows what that version recorded: md5-disc before there were SHA-256s, absolute-disc
# before sessions began with sizes of their own, own-size-disc since.
set -eu
burnfs=$1 out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/mnt"
umask 022
rm -f "$out"
mounted() { "$burnfs" mount "$@" -o statedir="$work/state" "$out" "$work/mnt"; }
mounted --create
cd "$work/mnt"
printf 'hello, world\n' > hello.txt
ln hello.txt 'hard link'
: > empty
head -c 5000 /dev/zero | tr '\0' x > 'three blocks'
mkdir d
printf 'in a directory\n' > d/file
ln -s ../hello.txt d/symlink
setfattr -n user.comment -v greeting hello.txt
setfacl -m u:1234:rw d/file
setfacl -d -m g:5678:rx d
touch -d '2024-02-29 12:34:56.789012345 UTC' hello.txt
touch -d '1999-12-31 23:59:59.999999999 UTC' d/file
cd /
"$burnfs" umount "$work/mnt"
mounted
cd "$work/mnt"
printf 'of the second session\n' > second
printf 'more\n' >> hello.txt
mv 'three blocks' d/renamed
cd /
"$burnfs" umount "$work/mnt"
