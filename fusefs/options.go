package fusefs

import (
	"context"
	"log/slog"
	"os"

	"bazil.org/fuse"
)

// Subtype is what the mount table shows after "fuse.".
const Subtype = "burnfs"

// fsType is the type of our mounts in the mount table.
const fsType = "fuse." + Subtype

// LevelTrace is the log level at which every FUSE request and reply is logged.
const LevelTrace = slog.LevelDebug - 4

// Options says how to mount. The zero value mounts read-write with defaults.
type Options struct {
	// FSName is the source shown in the mount table: the disc as the user
	// named it.
	FSName string
	// AllowOther lets other users than the one who mounts use the mount, as
	// far as the permissions of each file allow. nil means yes for root and
	// no for anybody else, who would need user_allow_other in
	// /etc/fuse.conf.
	AllowOther *bool
	// ReadOnly mounts read-only. A tree that cannot be changed is always
	// mounted so.
	ReadOnly bool
	// Dev and SUID let device nodes and set-user-ID programs of the disc
	// take effect. Only root can have them.
	Dev, SUID bool

	// SyncRoot is what fsync(2) on the root directory does while no file is
	// open for writing: the commit. It may run for minutes. Interrupting
	// the caller of fsync does not interrupt it. nil means Tree.Sync.
	SyncRoot func(context.Context) error
	// ControlPath is the value of the extended attribute ControlXattr of
	// the root directory. Without it the attribute does not exist.
	ControlPath string

	// StagingDir and DiscPath are what the mount must not hide: where
	// changes are staged and the disc itself.
	StagingDir, DiscPath string

	// Log gets what errors are made of before they become an errno, and
	// what was cleared away to mount. nil discards it.
	Log *slog.Logger
}

func (o *Options) allowOther() bool {
	if o.AllowOther != nil {
		return *o.AllowOther
	}
	return os.Geteuid() == 0
}

// readAhead is how much the kernel may read ahead, in bytes. It asks in
// pieces of at most 128 KiB, several at a time.
const readAhead = 1 << 20

func (o *Options) bazil() []fuse.MountOption {
	opts := []fuse.MountOption{
		fuse.Subtype(Subtype),
		fuse.DefaultPermissions(),
		fuse.AsyncRead(),
		negotiate(accessLists | fuse.InitDoReaddirplus),
		fuse.MaxReadahead(readAhead),
		// Only our own kernel changes symlinks, by replacing them.
		fuse.CacheSymlinks(),
	}
	if o.FSName != "" {
		opts = append(opts, fuse.FSName(o.FSName))
	}
	if o.allowOther() {
		opts = append(opts, fuse.AllowOther())
	}
	if o.ReadOnly {
		opts = append(opts, fuse.ReadOnly())
	}
	if o.Dev {
		opts = append(opts, fuse.AllowDev())
	}
	if o.SUID {
		opts = append(opts, fuse.AllowSUID())
	}
	return opts
}
