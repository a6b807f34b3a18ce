// Package mounthelper reads the command lines that mount(8) and umount(8) of
// util-linux give to their external helpers.
//
//	mount.burnfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE]     mount(8), EXTERNAL HELPERS
//	umount.fuse.burnfs DIR  [-flnrv] [-N NAMESPACE] [-t TYPE]                 umount(8), EXTERNAL HELPERS
//
// One binary answers to these names through argv[0]: mount.burnfs for
// `mount -t burnfs`, mount.fuse.burnfs for `mount -t fuse.burnfs`, and
// umount.fuse.burnfs (also umount.burnfs) for a plain `umount DIR`, because
// the kernel reports the mount as type fuse.burnfs. Letters may be clustered
// and options may follow the operands, as mount(8) writes them.
package mounthelper
