package sgio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
)

// Options says how a drive is opened.
type Options struct {
	// Log gets what is unusual; nil discards it.
	Log *slog.Logger
	// ReadOnly keeps commands from the drive that change the medium. The door
	// can be locked nevertheless.
	ReadOnly bool
}

// Transport carries commands to one drive. It implements mmc.Transport.
type Transport struct {
	log      *slog.Logger
	sys      system
	path     string
	node     node
	major    uint32 // of path
	minor    uint32
	fd       int
	submit   func(fd int, hdr unsafe.Pointer) unix.Errno // ioctl(2)
	openNode func(path string, flags int) (int, error)   // open(2)
	generic  bool                                        // fd is of the driver sg
	readOnly bool                                        // fd cannot be written to
	guard    bool                                        // Options.ReadOnly
	limit    int                                         // bytes of a transfer
	media    mediaCount
	changed  bool // the medium's content

	jobs   chan job
	quit   chan struct{} // closed to end the thread
	ended  chan struct{} // closed when the thread is
	close  sync.Once
	closed error
}

var (
	_ mmc.Transport       = (*Transport)(nil)
	_ mmc.TransferLimiter = (*Transport)(nil)
	_ mmc.Protector       = (*Transport)(nil)
	_ mmc.Rememberer      = (*Transport)(nil)
)

const (
	// busyLimit is how long a drive may be busy without a mount or a process
	// that has it open: programs that look at discs when they are inserted hold
	// it for a moment.
	busyLimit = 2 * time.Second
	busyPoll  = 100 * time.Millisecond
)

// Open opens a drive by a device node or a link to one, and claims it.
//
// A node that may not be opened for writing is opened for reading: then commands
// that write fail with *PermissionError, the door cannot be locked, and the
// kernel goes on asking the drive for events.
//
// Errors: *NotDriveError; *BusyError; *AccessError; mmc.ErrNoMedium from kernels
// that were told not to open an empty drive; those of the file system.
func Open(path string, opt Options) (*Transport, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	t := newTransport(system{root: "/"}, opt)
	given, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	if err := t.find(given); err != nil {
		return nil, err
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	t.limit = t.transferLimit()
	t.start()
	if err := t.check(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.log.Debug("drive opened", "path", t.path, "readOnly", t.readOnly, "maxTransfer", t.limit)
	return t, nil
}

func newTransport(s system, opt Options) *Transport {
	return &Transport{
		log: opt.Log, sys: s, guard: opt.ReadOnly, submit: submit, openNode: openNode,
		jobs: make(chan job), quit: make(chan struct{}), ended: make(chan struct{}),
	}
}

// start makes the open transport take commands.
func (t *Transport) start() {
	t.media.init(t.sys, t.node)
	go t.thread()
}

// Check reports whether path is, or leads to, the node of an optical drive, without
// opening it.
//
// Errors: *NotDriveError; those of the file system.
func Check(path string) error {
	given, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	t := &Transport{sys: system{root: "/"}}
	return t.find(given)
}

// Path returns the node that is open.
func (t *Transport) Path() string { return t.path }

// MaxTransfer implements mmc.TransferLimiter.
func (t *Transport) MaxTransfer() int { return t.limit }

// find makes sure that path is the node of a drive and chooses the one to open.
func (t *Transport) find(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	var block bool
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		block = true
	case unix.S_IFCHR:
	default:
		return &NotDriveError{Path: path, Kind: "not a device"}
	}
	t.major, t.minor = unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))
	n, known := t.sys.lookup(block, t.major, t.minor)
	t.path, t.node, t.generic = path, n, !block
	if !known {
		return nil // without sysfs the drive itself must tell what it is
	}
	if kind := t.sys.kind(n); kind != "" {
		return &NotDriveError{Path: path, Kind: kind}
	}
	if block {
		return nil
	}
	if name := t.sys.sibling(filepath.Dir(n.dir), filepath.Base(n.dir), "block"); name != "" {
		return t.find(filepath.Join("/dev", name))
	}
	return nil
}

// open opens and claims the node that find has chosen.
func (t *Transport) open() error {
	const flags = unix.O_NONBLOCK | unix.O_EXCL | unix.O_CLOEXEC
	deadline := time.Now().Add(busyLimit)
	for {
		fd, err := t.openNode(t.path, unix.O_RDWR|flags)
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS) {
			denied := err
			if fd, err = t.openNode(t.path, unix.O_RDONLY|flags); err == nil {
				t.readOnly = true
				t.log.Log(context.Background(), t.fallbackLevel(), "the drive can only be opened for reading: the disc cannot be written and the door cannot be locked", "path", t.path, "err", denied)
			}
		}
		switch {
		case err == nil:
			t.fd = fd
			return nil
		case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
			return &AccessError{Path: t.path, Group: groupOf(t.path, unix.S_IRGRP), Err: err}
		case errors.Is(err, unix.ENOMEDIUM):
			return fmt.Errorf("%s: %w", t.path, mmc.ErrNoMedium)
		case errors.Is(err, unix.EBUSY):
			busy := t.busy(err)
			if len(busy.Holders) > 0 || time.Now().After(deadline) {
				return busy
			}
			time.Sleep(busyPoll) // the kernel does not tell when a node becomes free
		default:
			return &fs.PathError{Op: "open", Path: t.path, Err: err}
		}
	}
}

// fallbackLevel is that of the message about a node that cannot be written to:
// nobody minds who only wants to read.
func (t *Transport) fallbackLevel() slog.Level {
	if t.guard {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// NotWritableReason implements mmc.Protector.
func (t *Transport) NotWritableReason() string {
	if !t.readOnly || t.guard {
		return ""
	}
	who := "Only root may"
	if g := groupOf(t.path, unix.S_IWGRP); g != "" {
		who = "Root and members of the group " + g + " may"
	}
	return fmt.Sprintf("The drive %s could be opened for reading only. %s write with it.", t.path, who)
}

// openNode repeats open(2) as long as signals interrupt it: opening waits for
// other openers of the device.
func openNode(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

func (t *Transport) busy(err error) *BusyError {
	nodes := []string{t.path}
	class := filepath.Dir(t.node.dir)
	if g := t.sys.sibling(class, filepath.Base(t.node.dir), "scsi_generic"); g != "" && !t.generic {
		nodes = append(nodes, "/dev/"+g)
	}
	return &BusyError{Path: t.path, Holders: t.sys.holders(t.major, t.minor, nodes), Err: err}
}

// groupOf names the group that has a permission for a node.
func groupOf(path string, permission uint32) string {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Mode&permission == 0 || st.Gid == 0 {
		return ""
	}
	g, err := user.LookupGroupId(strconv.FormatUint(uint64(st.Gid), 10))
	if err != nil {
		return strconv.FormatUint(uint64(st.Gid), 10)
	}
	return g.Name
}

// transferLimit asks the block layer and, where it has no queue to look at, the
// generic driver.
func (t *Transport) transferLimit() int {
	limit := mmc.MaxTransfer
	if n := t.sys.transferLimit(t.node); n > 0 {
		limit = min(limit, n)
	}
	if t.generic {
		limit = min(limit, t.reserve(limit))
	}
	return limit
}

// reserve asks the generic driver for a buffer and returns what it could give.
func (t *Transport) reserve(bytes int) int {
	want := int32(bytes)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(t.fd), sgSetReservedSize, uintptr(unsafe.Pointer(&want))); errno != 0 {
		return bytes
	}
	var got int32
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(t.fd), sgGetReservedSize, uintptr(unsafe.Pointer(&got))); errno != 0 || got <= 0 {
		return bytes
	}
	return int(got)
}

// inquiryTimeout is for a command that every drive answers at any time.
const inquiryTimeout = time.Minute

// check asks the drive what it is: where sysfs is not to be seen, nothing else
// told yet, and a drive that does not even answer this is not worth opening.
func (t *Transport) check() error {
	b := make([]byte, mmc.InquiryLen)
	cmd := &mmc.Command{
		CDB:       []byte{byte(mmc.OpInquiry), 0, 0, 0, mmc.InquiryLen, 0},
		Direction: mmc.FromDrive, Data: b, Timeout: inquiryTimeout,
	}
	err := t.Execute(context.Background(), cmd)
	if te, ok := errors.AsType[*mmc.TransportError](err); ok && te.Unsent && (errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL)) {
		return &NotDriveError{Path: t.path}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	q := mmc.Inquiry(cmd.Transferred())
	if len(q) > 0 && !optical(int(q.DeviceType())) {
		return &NotDriveError{Path: t.path, Kind: fmt.Sprintf("a SCSI device of type %02Xh", q.DeviceType())}
	}
	return nil
}
