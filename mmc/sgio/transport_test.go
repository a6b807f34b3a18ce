package sgio

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// kernel plays SG_IO for a drive. It moves stacks and collects garbage while a
// command runs, as may happen at any time.
type kernel struct {
	drive mmc.Transport
	sent  []mmc.Opcode
	busy  chan struct{} // if set, a command waits for it
}

func grow(n int) int {
	var pad [1024]byte
	if n == 0 {
		return len(pad)
	}
	return grow(n-1) + int(pad[n%len(pad)])
}

func (k *kernel) submit(_ int, p unsafe.Pointer) unix.Errno {
	grow(64)
	runtime.GC()
	h := (*header)(p)
	if h.interfaceID != 'S' || h.maxSense == 0 || h.timeout == 0 {
		return unix.EINVAL
	}
	cmd := &mmc.Command{CDB: bytes.Clone(unsafe.Slice((*byte)(h.cmd), h.cmdLen)), Timeout: time.Duration(h.timeout) * time.Millisecond}
	k.sent = append(k.sent, cmd.Opcode())
	if k.busy != nil {
		<-k.busy
	}
	switch h.direction {
	case dxferFrom:
		cmd.Direction = mmc.FromDrive
	case dxferTo:
		cmd.Direction = mmc.ToDrive
	}
	if h.dataLen > 0 {
		cmd.Data = unsafe.Slice((*byte)(h.data), h.dataLen)
	}
	err := k.drive.Execute(context.Background(), cmd)
	h.resid = int32(cmd.Resid)
	if se, ok := errors.AsType[*mmc.SenseError](err); ok {
		h.status, h.driver = statusCheckCondition, driverSense
		h.senseWritten = uint8(copy(unsafe.Slice((*byte)(h.sense), h.maxSense), se.Raw))
	} else if err != nil {
		h.host = uint16(hostError)
	}
	return 0
}

func testLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// open makes a transport whose kernel is k.
func open(t *testing.T, s system, k *kernel, opt Options) *Transport {
	t.Helper()
	opt.Log = testLog(t)
	tr := newTransport(s, opt)
	tr.path, tr.limit = "/dev/sr0", mmc.MaxTransfer
	tr.node, _ = s.lookup(true, 11, 0)
	tr.submit = k.submit
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr.fd = fd
	tr.start()
	return tr
}

// TestBurnThroughTheKernel inspects, burns and reads a disc with every byte going
// through the structure of SG_IO.
func TestBurnThroughTheKernel(t *testing.T) {
	for _, limit := range []int{mmc.MaxTransfer, 33 << 10} {
		disc := filepath.Join(t.TempDir(), "disc.img")
		if err := emu.Create(disc, emu.BDR, emu.CreateOptions{Blocks: 8192}); err != nil {
			t.Fatal(err)
		}
		e, err := emu.Open(disc, emu.Options{})
		if err != nil {
			t.Fatal(err)
		}
		k := &kernel{drive: e}
		tr := open(t, machine(t), k, Options{})
		tr.limit = limit
		d := mmc.NewDrive(tr, nil)
		if want := limit - limit%mmc.BlockSize; d.MaxTransfer() != want {
			t.Errorf("%d bytes at once, want %d", d.MaxTransfer(), want)
		}
		ctx := t.Context()
		info, err := medium.Inspect(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		data := bytes.Repeat([]byte("0123456789abcdef"), 100*mmc.BlockSize/16)
		for i := range 100 {
			data[i*mmc.BlockSize] = byte(i)
		}
		rec, err := recorder.New(d, info, recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(rec.Begin(ctx), rec.Write(ctx, rec.Start(), data), rec.Sync(ctx), rec.Close(ctx, true)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(data))
		if err := d.ReadBlocks(ctx, rec.Start(), got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Error("the disc gives back something else")
		}
		if err := d.Read10(ctx, 8191, got[:mmc.BlockSize]); !errors.As(err, new(*mmc.SenseError)) {
			t.Errorf("reading what was never written: %v", err)
		}
		if !tr.changed {
			t.Error("nobody noticed that the disc was written")
		}
		if err := errors.Join(d.Close(), tr.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestExecuteEnds: contexts and Close while a command runs, and afterwards.
func TestExecuteEnds(t *testing.T) {
	k := &kernel{drive: ready{}, busy: make(chan struct{})}
	tr := open(t, machine(t), k, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- tr.Execute(ctx, testUnitReady()) }()
	k.busy <- struct{}{} // it runs
	go func() { result <- tr.Execute(ctx, testUnitReady()) }()
	if err := <-result; err != nil {
		t.Error(err)
	}
	cancel()
	if err := tr.Execute(ctx, testUnitReady()); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	close(k.busy)
	if err := <-result; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended while a command ran: %v", err)
	}
	if err := errors.Join(tr.Close(), tr.Close()); err != nil {
		t.Error(err)
	}
	err := tr.Execute(t.Context(), testUnitReady())
	if te, ok := errors.AsType[*mmc.TransportError](err); !ok || !te.Unsent || !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// ready is a drive that does everything.
type ready struct{}

func (ready) Execute(context.Context, *mmc.Command) error { return nil }
func (ready) Close() error                                { return nil }

func testUnitReady() *mmc.Command {
	return &mmc.Command{CDB: make([]byte, 6), Timeout: time.Minute}
}

// TestRefusedHere: what never reaches the kernel.
func TestRefusedHere(t *testing.T) {
	k := &kernel{drive: ready{}}
	tr := open(t, machine(t), k, Options{ReadOnly: true})
	defer tr.Close()
	err := tr.Execute(t.Context(), writeCommand())
	if te, ok := errors.AsType[*mmc.TransportError](err); !ok || !te.Unsent || !errors.Is(err, ErrReadOnly) {
		t.Errorf("a WRITE to a drive opened for reading: %v", err)
	}
	for _, cdb := range [][]byte{nil, make([]byte, 5), make([]byte, 17)} {
		err := tr.Execute(t.Context(), &mmc.Command{CDB: cdb, Timeout: time.Second})
		if te, ok := errors.AsType[*mmc.TransportError](err); !ok || !te.Unsent {
			t.Errorf("a CDB of %d bytes: %v", len(cdb), err)
		}
	}
	if len(k.sent) != 0 {
		t.Errorf("%v were sent", k.sent)
	}
}

// TestSwallowedUnitAttention: the kernel has seen another medium, so that the
// drive does not announce it any more.
func TestSwallowedUnitAttention(t *testing.T) {
	s := machine(t)
	k := &kernel{drive: ready{}}
	tr := open(t, s, k, Options{})
	d := mmc.NewDrive(tr, nil)
	ctx := t.Context()
	if err := d.TestUnitReady(ctx); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("sys/devices/1/block/sr0/diskseq"), []byte("5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := tr.Execute(ctx, &mmc.Command{CDB: []byte{byte(mmc.OpInquiry), 0, 0, 0, 0, 0}, Timeout: time.Second}); err != nil {
		t.Errorf("INQUIRY never reports a unit attention: %v", err)
	}
	sent := len(k.sent)
	if err := d.TestUnitReady(ctx); !errors.Is(err, mmc.ErrMediumChanged) {
		t.Errorf("another medium: %v", err)
	}
	if len(k.sent) != sent {
		t.Error("a command that ends with a unit attention is not executed")
	}
	if d.MediumChanges() != 1 {
		t.Errorf("%d changes", d.MediumChanges())
	}
	if err := d.TestUnitReady(ctx); err != nil {
		t.Errorf("a unit attention is reported once: %v", err)
	}
	if err := os.Remove(s.path("sys/devices/1/block/sr0/diskseq")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.TestUnitReady(ctx), d.Close()); err != nil {
		t.Errorf("a kernel that does not count: %v", err)
	}
}

// TestSubmit: the real system call, on a device that does not know the ioctl.
func TestSubmit(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var before, after unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, nil, &before); err != nil {
		t.Fatal(err)
	}
	x := new(exchange)
	x.prepare(writeCommand())
	if errno := x.run(fd, submit); errno != unix.ENOTTY {
		t.Errorf("%v, want ENOTTY", errno)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, nil, &after); err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Errorf("signals stay blocked: %v, before %v", after, before)
	}
}

// TestOpenOthers: what is no drive says so.
func TestOpenOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "cdrom")
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, says, reason string }{
		{"/dev/null", "/dev/null is a device of another kind, not an optical drive", "a character device"},
		{link, "/dev/null is a device of another kind, not an optical drive", "a link to one"},
		{file, "is not a device, not an optical drive", "a file"},
	} {
		tr, err := Open(c.path, Options{})
		if err == nil {
			_ = tr.Close()
		}
		if nd, ok := errors.AsType[*NotDriveError](err); !ok || !strings.Contains(nd.Error(), c.says) {
			t.Errorf("%s: %v", c.reason, err)
		}
		if cerr := Check(c.path); cerr == nil || err == nil || cerr.Error() != err.Error() {
			t.Errorf("%s: Check says %v", c.reason, cerr)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "sr0"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no node: %v", err)
	}
}

// TestMessages: what users read.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&AccessError{Path: "/dev/sr0", Group: "cdrom", Err: unix.EACCES}, "no permission to use the drive /dev/sr0; it takes membership of the group cdrom ('adduser USER cdrom' as root, then log in again)"},
		{&AccessError{Path: "/dev/sr0", Err: unix.EACCES}, "no permission to use the drive /dev/sr0; only root may"},
		{&NotDriveError{Path: "/dev/sda", Kind: "a disk"}, "/dev/sda is a disk, not an optical drive"},
		{&NotDriveError{Path: "/dev/x"}, "/dev/x is not an optical drive"},
		{&BusyError{Path: "/dev/sr0", Err: unix.EBUSY}, "/dev/sr0 is in use by a program that cannot be seen from here; root can see it with 'fuser -v /dev/sr0'"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
		if errors.As(c.err, new(*NotDriveError)) {
			continue
		}
		if errors.Unwrap(c.err) == nil {
			t.Errorf("%v has no cause", c.err)
		}
	}
}

// TestNotWritable: a node opened for reading says so to who wants to write.
func TestNotWritable(t *testing.T) {
	p := filepath.Join(t.TempDir(), "sr0")
	if err := os.WriteFile(p, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		readOnly, guard bool
		want, reason    string
	}{
		{false, false, "", "it can be written to"},
		{true, true, "", "nobody wants to write"},
		{true, false, "The drive " + p + " could be opened for reading only. Only root may write with it.", "no permission"},
	} {
		tr := &Transport{path: p, readOnly: c.readOnly, guard: c.guard}
		if got := mmc.NewDrive(tr, nil).NotWritableReason(); got != c.want {
			t.Errorf("%s: %q, want %q", c.reason, got, c.want)
		}
	}
}

// TestGroupOf: the group is worth naming if it can read the node.
func TestGroupOf(t *testing.T) {
	p := filepath.Join(t.TempDir(), "node")
	if err := os.WriteFile(p, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := groupOf(p, unix.S_IRGRP); got != "" {
		t.Errorf("a node for its owner only: group %q", got)
	}
	if err := os.Chmod(p, 0o660); err != nil {
		t.Fatal(err)
	}
	want := ""
	if err := os.Chown(p, -1, 24); err == nil {
		want = "cdrom" // base-passwd of Debian numbers it so
	} else if os.Getegid() != 0 {
		want = groupOf(p, unix.S_IRGRP) // whatever the user's own is called
	}
	if got := groupOf(p, unix.S_IRGRP); got != want && got != "24" {
		t.Errorf("group %q, want %q", got, want)
	}
}
