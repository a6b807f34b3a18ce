// Package fusefs shows a merged tree (session/tree) as a FUSE mount. It is
// the only importer of bazil.org/fuse and holds no policy: what a call means
// is decided by the tree, how it travels to the kernel is decided here.
//
//	 program        kernel                    burnfs
//	┌───────┐ call ┌──────────────┐ request  ┌───────────────────────────┐
//	│  cp   │─────▶│ VFS, page    │─────────▶│ bazil Conn, loop          │
//	│       │◀─────│ cache, FUSE  │◀─────────│   dir, inode, file, list  │
//	└───────┘      └──────────────┘  reply   └──────────┬────────────────┘
//	                                                    │ one call each
//	                                          ┌─────────▼────────────────┐
//	                                          │ session/tree             │
//	                                          └──────────────────────────┘
//
// # What the kernel does for us
//
// Nobody but the kernel's clients changes a mounted tree, with one exception.
// Therefore attributes and entries are valid for as long as the kernel cares to
// keep them (those of directories for a second, see dirValid), and pages stay
// cached from one open to the next. The exception is changes that are taken back
// (tree.Discard): Refresh tells the kernel which names and inodes to forget, from
// a goroutine that serves no call and holds no lock. A commit needs none of that:
// it changes nothing that is shown.
// The option default_permissions is always on: the kernel checks access by mode
// bits and access control lists, sticky directories and the group rules of chmod,
// and removes set-user-ID and set-group-ID bits before a write, truncate or chown.
// What a new file inherits from its directory, and the umask, is the tree's work.
// flock(2) and fcntl(2) locks stay in the kernel too, which is exact as long as
// one machine has the disc mounted, and it cannot be otherwise.
//
// # What does not reach us
//
// sync(2) and syncfs(2) are not sent to a FUSE server of this kind; fsync(2) on
// the root directory is how to ask for a commit. The flags of renameat2(2), the
// holes of lseek(2), copy_file_range(2) and O_TMPFILE are refused by the kernel
// or done by it in terms of other calls.
//
// # Requests
//
// bazil.org/fuse reads requests and writes replies (fuse.Conn); which goroutine
// answers which of them is decided here, see serve.go. Its own server (fuse/fs)
// starts a goroutine for each, and for most of them to wake it takes longer than to
// answer. Its interfaces say what dir, leaf and file have to have.
//
// A directory is read with the attributes of all that is in it (FUSE_READDIRPLUS), so
// that find(1) and ls(1) send one request for dozens of files instead of one for each.
//
// # Nodes
//
// dir and leaf are values around a *tree.Node, which is one for each inode. The
// numbers by which the kernel knows them are in the loop's table; nothing else is
// bound to them, so that a Forget concerns nothing else.
//
// # Life of a mount
//
//	Mount ──▶ serving ──▶ unmounted ──▶ last handler ends ──▶ handles that the
//	             ▲  │ EBUSY             kernel never released ──▶ connection
//	             └──┘                   closed ──▶ Wait returns
//
// The order of the tail is not free: closing the connection while it is served
// blocks until the next request and then breaks that one.
//
// The process that serves a mount must never touch it: it would wait for
// itself. That includes starting a program in a directory of the mount.
package fusefs
