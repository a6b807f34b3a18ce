package sgio

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
)

func writeCommand() *mmc.Command {
	return &mmc.Command{
		CDB: []byte{byte(mmc.OpWrite10), 0, 0, 0, 0, 5, 0, 0, 1, 0}, Direction: mmc.ToDrive,
		Data: make([]byte, mmc.BlockSize), Timeout: 200 * time.Second,
	}
}

// TestResult is the table of the package comment.
func TestResult(t *testing.T) {
	fixed := mmc.NewSense(mmc.KeyMediumError, 0x0c, 0x00)
	recovered := mmc.NewSense(mmc.KeyRecoveredError, 0x0c, 0x01)
	descriptor := mmc.Sense{0x72, 0x02, 0x04, 0x08, 0, 0, 0, 0}
	deferred := mmc.Sense{0x73, 0x03, 0x0c, 0x00, 0, 0, 0, 0}
	for _, c := range []struct {
		reason       string
		status       uint8
		host, driver uint16
		sense        mmc.Sense
		resid        int32
		offline      bool
		want         string // "ok", "sense", "unknown", "unsent", "gone"
		wantResid    int
		says         string
	}{
		{"all is well", 0, 0, 0, nil, 0, false, "ok", 0, ""},
		{"all is well and less came", 0, 0, 0, nil, 100, false, "ok", 100, ""},
		{"a residue that is nonsense", 0, 0, 0, nil, -5, false, "ok", 0, ""},
		{"a residue beyond the data", 0, 0, 0, nil, 1 << 20, false, "ok", mmc.BlockSize, ""},
		{"condition met is as good", 0x04, 0, 0, nil, 0, false, "ok", 0, ""},
		{"fixed sense data", 0x02, 0, 0x08, fixed, 2048, false, "sense", 2048, "3/0C/00"},
		{"descriptor sense data", 0x02, 0, 0x08, descriptor, 2048, false, "sense", 2048, "2/04/08"},
		{"deferred, in descriptors", 0x02, 0, 0x08, deferred, 0, false, "sense", 0, "late"},
		{"kernels before 5.14 give advice", 0x02, 0, 0x18, fixed, 0, false, "sense", 0, "3/0C/00"},
		{"a recovered error without CHECK CONDITION", 0x00, 0, 0x08, recovered, 0, false, "sense", 0, "1/0C/01"},
		{"sense data left over from nothing", 0x00, 0, 0x00, fixed, 0, false, "ok", 0, ""},
		{"the host classifies a medium error", 0x02, 0x13, 0x08, fixed, 0, false, "sense", 0, "3/0C/00"},
		{"CHECK CONDITION without sense data", 0x02, 0, 0, nil, 0, false, "unknown", 2048, "without saying why"},
		{"garbled sense data", 0x02, 0, 0x08, mmc.Sense{0x12, 0x34}, 0, false, "unknown", 2048, ""},
		{"BUSY", 0x08, 0, 0, nil, 0, false, "unsent", 2048, "busy"},
		{"TASK SET FULL", 0x28, 0, 0, nil, 0, false, "unsent", 2048, "busy"},
		{"RESERVATION CONFLICT", 0x18, 0, 0, nil, 0, false, "unsent", 2048, "another computer"},
		{"TASK ABORTED", 0x40, 0, 0, nil, 0, false, "unknown", 2048, "nobody knows"},
		{"timed out", 0, 0x03, 0x06, nil, 0, false, "unknown", 2048, "no answer in time (3m20s)"},
		{"timed out with old sense data", 0x02, 0x03, 0x08, fixed, 0, false, "unknown", 2048, "no answer in time"},
		{"a reset by somebody", 0, 0x08, 0, nil, 0, false, "unknown", 2048, "bus was reset"},
		{"the host adapter fails", 0, 0x07, 0, nil, 0, false, "unknown", 2048, "host adapter"},
		{"the host adapter fails since the drive is offline", 0, 0x07, 0, nil, 0, true, "gone", 2048, "drive is gone"},
		{"unplugged", 0, 0x01, 0, nil, 0, false, "gone", 2048, "nobody knows"},
		{"no such drive", 0, 0x04, 0, nil, 0, false, "gone", 2048, "no such drive"},
		{"iSCSI gave up", 0, 0x0f, 0, nil, 0, false, "gone", 2048, "did not come back"},
		{"iSCSI was cut and may come back", 0, 0x0e, 0, nil, 0, false, "unknown", 2048, "disrupted"},
		{"a status of the future", 0, 0x77, 0, nil, 0, false, "unknown", 2048, "77h"},
		{"a driver error alone", 0, 0, 0x01, nil, 0, false, "unknown", 2048, "driver 01h"},
	} {
		x := new(exchange)
		cmd := writeCommand()
		x.prepare(cmd)
		x.hdr.status, x.hdr.host, x.hdr.driver, x.hdr.resid = c.status, c.host, c.driver, c.resid
		x.hdr.senseWritten = uint8(copy(x.sense[:], c.sense))
		err := x.result(cmd, func() bool { return c.offline })
		got := "ok"
		te, transport := errors.AsType[*mmc.TransportError](err)
		_, sense := errors.AsType[*mmc.SenseError](err)
		switch {
		case sense:
			got = "sense"
		case transport && te.Gone:
			got = "gone"
		case transport && te.Unsent:
			got = "unsent"
		case transport:
			got = "unknown"
		case err != nil:
			got = err.Error()
		}
		if got != c.want || cmd.Resid != c.wantResid {
			t.Errorf("%s: %s with residue %d, want %s with %d (%v)", c.reason, got, cmd.Resid, c.want, c.wantResid, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q does not say %q", c.reason, err, c.says)
		}
		if errors.Is(err, mmc.ErrDriveGone) != (c.want == "gone") {
			t.Errorf("%s: ErrDriveGone does not fit: %v", c.reason, err)
		}
	}
}

// TestRefused: what an errno says depends on the node.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		reason       string
		errno        unix.Errno
		generic      bool
		unsent, gone bool
		permission   bool
		op           mmc.Opcode
		readOnly     bool
		says         string
	}{
		{"sr checks the medium of transport first", unix.ENODEV, false, true, true, false, mmc.OpWrite10, false, "drive is gone"},
		{"sg says so while it waits, too", unix.ENODEV, true, false, true, false, mmc.OpWrite10, false, "nobody knows"},
		{"sr refuses too long transfers", unix.EIO, false, true, false, false, mmc.OpWrite10, false, "not sent"},
		{"sg was interrupted", unix.EINTR, true, false, false, false, mmc.OpWrite10, false, "nobody knows"},
		{"no memory", unix.ENOMEM, true, true, false, false, mmc.OpWrite10, false, "not sent"},
		{"a node opened for reading", unix.EPERM, false, true, false, true, mmc.OpWrite10, true, "opened for reading only"},
		{"a command that is not on the list", unix.EPERM, false, true, false, true, 0xd8, false, "only root"},
		{"a container", unix.EPERM, true, true, false, true, mmc.OpWrite10, false, "security policy"},
	} {
		tr := newTransport(system{root: t.TempDir()}, Options{})
		tr.path, tr.generic, tr.readOnly = "/dev/sr0", c.generic, c.readOnly
		cmd := writeCommand()
		cmd.CDB[0] = byte(c.op)
		err := tr.refused(cmd, c.errno)
		te, ok := errors.AsType[*mmc.TransportError](err)
		if !ok || te.Unsent != c.unsent || te.Gone != c.gone || cmd.Resid != len(cmd.Data) {
			t.Errorf("%s: %#v", c.reason, te)
		}
		if _, ok := errors.AsType[*PermissionError](err); ok != c.permission || !errors.Is(err, c.errno) {
			t.Errorf("%s: %v", c.reason, err)
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q does not say %q", c.reason, err, c.says)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for _, c := range []struct {
		d      time.Duration
		want   uint32
		reason string
	}{
		{0, 1, "0 would be the kernel's default"},
		{time.Microsecond, 1, "less than the kernel can count"},
		{5 * time.Hour, 18000000, "a blank"},
		{1 << 62, 1<<31 - 1, "more than the kernel can count"},
	} {
		if got := milliseconds(c.d); got != c.want {
			t.Errorf("%s: %d, want %d", c.reason, got, c.want)
		}
	}
}

// FuzzResult: whatever a kernel or a drive fills in, an error or none comes out.
func FuzzResult(f *testing.F) {
	f.Add(uint8(2), uint16(0), uint16(8), int32(0), []byte(mmc.NewSense(mmc.KeyMediumError, 0x11, 0)))
	f.Add(uint8(2), uint16(0), uint16(8), int32(-1), []byte{0x72, 3, 0x0c, 0, 0, 0, 0, 12, 0, 10, 0x80})
	f.Add(uint8(0), uint16(3), uint16(6), int32(2048), []byte(nil))
	f.Fuzz(func(t *testing.T, status uint8, host, driver uint16, resid int32, sense []byte) {
		x := new(exchange)
		cmd := writeCommand()
		x.prepare(cmd)
		x.hdr.status, x.hdr.host, x.hdr.driver, x.hdr.resid = status, host, driver, resid
		x.hdr.senseWritten = uint8(len(sense))
		copy(x.sense[:], sense)
		err := x.result(cmd, func() bool { return false })
		if cmd.Resid < 0 || cmd.Resid > len(cmd.Data) {
			t.Fatalf("residue %d", cmd.Resid)
		}
		if err == nil {
			if status&statusMask != statusGood && status&statusMask != statusConditionMet || host != 0 {
				t.Fatalf("status %02Xh host %02Xh is no error", status, host)
			}
			return
		}
		if err.Error() == "" {
			t.Fatal("an error without words")
		}
		_ = mmc.Advice(err)
	})
}
