// Package guest boots a Debian kernel in a virtual machine whose userland is
// that of the host, so that burnfs and other people's programs meet a real
// kernel's sr, sg, isofs and FUSE.
//
//	host                              QEMU, emulating the processor
//	┌────────────────────────┐        ┌────────────────────────────────────┐
//	│ /  ────────────────────┼─ 9p ──►│ /      below a layer of memory     │
//	│ Options.Share ◄────────┼─ 9p ──►│ the same paths, read and write     │
//	│ Guest.Run  ◄───────────┼─ serial port ──► init: runs scripts as root │
//	│ 127.0.0.1:port ◄───────┼─ user network, 10.0.2.2 ── iscsid           │
//	│ an iSCSI target        │        │        └── /dev/sr0, /dev/sg0      │
//	└────────────────────────┘        └────────────────────────────────────┘
//
// The kernel is Debian's package linux-image-amd64, downloaded once into a
// directory named by [CacheDir]; its initramfs is made here and holds the
// modules and the program in the folder init, nothing else. Every file of the
// host is where it always is; what the guest changes is in its memory and
// forgotten, except below Options.Share. Files of the host must not change
// while a guest runs, unless they are shared.
//
// To try a command by hand, on a disc that the emulated drive plays (it is made
// if there is none; -trace lists what the drive was told):
//
//	go run ./integration/guest/try -disc a.img -new dvd+r -trace -- 'dvd+rw-mediainfo $SR'
//	go run ./integration/guest/try -- 'uname -a; dmesg | tail'
//
// A boot takes several seconds, so tests of a package share a guest.
package guest
