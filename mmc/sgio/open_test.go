package sgio

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
)

// TestOpenNode: how a node is opened, and what becomes of what open(2) says.
func TestOpenNode(t *testing.T) {
	const (
		claimed = unix.O_NONBLOCK | unix.O_EXCL | unix.O_CLOEXEC
		holder  = "30 22 0:44 / /mnt rw - fuse.burnfs /dev/sr0 rw\n"
	)
	for _, c := range []struct {
		reason   string
		write    error // what open(2) says of O_RDWR
		read     error // and of O_RDONLY
		frees    time.Duration
		mounts   string
		want     string // "write", "read", or words of the error
		as       any
		took     time.Duration
		attempts int
	}{
		{"all is well", nil, nil, 0, "", "write", nil, 0, 1},
		{"no permission to write", unix.EACCES, nil, 0, "", "read", nil, 0, 2},
		{"a write-protected device", unix.EROFS, nil, 0, "", "read", nil, 0, 2},
		{"no permission at all", unix.EACCES, unix.EACCES, 0, "", "no permission", new(*AccessError), 0, 2},
		{"a container", unix.EPERM, unix.EPERM, 0, "", "no permission", new(*AccessError), 0, 2},
		{"mounted", unix.EBUSY, nil, 0, holder, "it is mounted on /mnt (fuse.burnfs)", new(*BusyError), 0, 1},
		{"held by somebody who cannot be seen", unix.EBUSY, nil, 0, "", "cannot be seen", new(*BusyError), busyLimit, 21},
		{"held for a moment", unix.EBUSY, nil, 500 * time.Millisecond, "", "write", nil, 500 * time.Millisecond, 6},
		{"empty, and told not to open then", unix.ENOMEDIUM, nil, 0, "", "no medium", nil, 0, 1},
		{"unplugged meanwhile", unix.ENXIO, nil, 0, "", "no such device", nil, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := machine(t)
			if err := writeFile(s.path("proc/self/mountinfo"), c.mounts); err != nil {
				t.Fatal(err)
			}
			tr := newTransport(s, Options{Log: testLog(t)})
			tr.path, tr.major = "/dev/sr0", 11
			tr.node, _ = s.lookup(true, 11, 0)
			begin, attempts := time.Now(), 0
			tr.openNode = func(path string, flags int) (int, error) {
				attempts++
				if path != "/dev/sr0" || flags&^unix.O_ACCMODE != claimed {
					t.Errorf("%s: %s is opened with %#x", c.reason, path, flags)
				}
				err := c.write
				if flags&unix.O_ACCMODE == unix.O_RDONLY {
					err = c.read
				}
				if c.frees > 0 && time.Since(begin) >= c.frees {
					err = nil
				}
				return 99, err
			}
			err := tr.open()
			got := "write"
			switch {
			case err != nil:
				got = err.Error()
			case tr.readOnly:
				got = "read"
			}
			if !strings.Contains(got, c.want) || c.as != nil && !errors.As(err, c.as) || err == nil && tr.fd != 99 {
				t.Errorf("%s: %s", c.reason, got)
			}
			if took := time.Since(begin); took < c.took || took > c.took+busyPoll || attempts > c.attempts+1 || attempts < c.attempts {
				t.Errorf("%s: %d attempts in %v, want %d in %v", c.reason, attempts, took, c.attempts, c.took)
			}
			if errors.Is(c.write, unix.ENOMEDIUM) != errors.Is(err, mmc.ErrNoMedium) {
				t.Errorf("%s: %v", c.reason, err)
			}
		})
	}
}
