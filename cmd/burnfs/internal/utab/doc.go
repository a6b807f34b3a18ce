// Package utab keeps a line about a mount in /run/mount/utab, the file in which
// libmount notes what the kernel's mount table has no room for.
//
// umount(8) run by root on an absolute path does not read the mount table: it
// asks statfs(2) for the type, learns "fuse", and finds no helper, because
// that is called umount.fuse.burnfs. Only where utab has a line for the
// directory does it look closer (util-linux, libmount/src/context_umount.c,
// lookup_umount_fs_by_statfs). Without the line `umount /mnt` would return before
// anything is burned.
//
//	SRC=/srv/disc.img TARGET=/mnt ROOT=/
//
// Values are escaped as in fstab(5). The file is replaced as a whole, under
// flock(2) of utab.lock, as libmount does it. Only root can; mounts of other
// users do not need it, because umount(8) reads the mount table for them.
package utab
