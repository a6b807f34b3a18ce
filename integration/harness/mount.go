package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Mount is a disc mounted by a daemon in a process of its own.
type Mount struct {
	lab   *Lab
	Disc  *Disc
	Point string
	PID   int
	Began time.Time // when the mount was asked for
	Log   string    // path of the daemon's log

	pidfd   int // -1 when the daemon is known to have ended
	sockets []string
}

// Status is what `burnfs status --json` prints, as far as tests want to know.
type Status struct {
	PID            int    `json:"pid"`
	State          string `json:"state"`
	Media          string `json:"media"`
	VolumeID       string `json:"volume_id"`
	Sessions       int    `json:"sessions"`
	Session        int    `json:"session"`
	CapacityBytes  int64  `json:"capacity_bytes"`
	FreeBytes      int64  `json:"free_bytes"`
	FitsBytes      int64  `json:"fits_bytes"`
	ReadOnly       bool   `json:"read_only"`
	ReadOnlyReason string `json:"read_only_reason"`
	Pending        struct {
		Files, Dirs, Removed int
		Bytes                int64
	} `json:"pending"`
	Progress *struct {
		Phase       string
		Done, Total int64
	} `json:"progress"`
	LastError  string `json:"last_error"`
	StagingDir string `json:"staging_dir"`
	LogFile    string `json:"log_file"`
}

// Args is the command line of a mount with options.
func (d *Disc) Args(point string, options ...string) []string {
	args := []string{"mount", "-o", strings.Join(append([]string{"statedir=" + d.lab.State}, options...), ",")}
	if d.Media == PlainISO {
		args = append(args, "--create")
	}
	return append(args, d.Path, point)
}

// Mount mounts the disc and waits until it is ready.
func (d *Disc) Mount(options ...string) *Mount {
	d.lab.Helper()
	return d.MountAt(d.lab.Mkdir("mnt-"+filepath.Base(d.Path), 0o755), options...)
}

// MountAt mounts the disc on a directory that exists.
func (d *Disc) MountAt(point string, options ...string) *Mount {
	d.lab.Helper()
	began := time.Now()
	if r := d.lab.Burnfs(d.Args(point, options...)...); r.Code != 0 {
		d.lab.Fatalf("%v", r)
	}
	return d.lab.Attach(d, point, began)
}

// Attach takes over a mount that was made in another way.
func (l *Lab) Attach(d *Disc, point string, began time.Time) *Mount {
	l.Helper()
	m := &Mount{lab: l, Disc: d, Point: point, Began: began, pidfd: -1}
	st := m.Status()
	m.PID, m.Log = st.PID, st.LogFile
	var err error
	if m.pidfd, err = unix.PidfdOpen(m.PID, 0); err != nil {
		l.Fatalf("the daemon of %s, process %d: %v", point, m.PID, err)
	}
	m.sockets = boundSockets(l, m.PID)
	l.mounts = append(l.mounts, m)
	return m
}

// Path returns the name of something in the mount.
func (m *Mount) Path(elem ...string) string {
	return filepath.Join(append([]string{m.Point}, elem...)...)
}

// Status asks the daemon.
func (m *Mount) Status() Status {
	m.lab.Helper()
	st, err := m.TryStatus()
	if err != nil {
		m.lab.Fatal(err)
	}
	return st
}

// TryStatus asks a daemon that may have ended.
func (m *Mount) TryStatus() (Status, error) {
	r := m.lab.Burnfs("status", "--json", m.Point)
	if r.Code != 0 {
		return Status{}, fmt.Errorf("%v", r)
	}
	var st Status
	if err := json.Unmarshal([]byte(r.Stdout), &st); err != nil {
		return Status{}, fmt.Errorf("%w\n%v", err, r)
	}
	return st, nil
}

// Unmount runs `burnfs umount`, which must succeed, and tells whether a session
// was burned.
func (m *Mount) Unmount() (burned bool) {
	m.lab.Helper()
	r := m.TryUnmount()
	if r.Code != 0 {
		m.lab.Fatalf("%v\n%s", r, m.LogText())
	}
	m.AwaitEnd()
	switch {
	case strings.Contains(r.Stdout, "burned and verified"):
		return true
	case strings.Contains(r.Stdout, "nothing was burned"):
		return false
	}
	m.lab.Fatalf("cannot tell whether a session was burned:\n%v", r)
	return false
}

// TryUnmount runs `burnfs umount`, whatever comes of it.
func (m *Mount) TryUnmount() Result {
	m.lab.Helper()
	return m.lab.Burnfs("umount", m.Point)
}

// Burn unmounts and fails when nothing was burned.
func (m *Mount) Burn() {
	m.lab.Helper()
	if !m.Unmount() {
		m.lab.Fatalf("%s: nothing was burned, though there was something to burn", m.Disc.Path)
	}
}

// Kill ends the daemon as a crash does. The mount stays, dead.
func (m *Mount) Kill() {
	m.lab.Helper()
	if err := unix.PidfdSendSignal(m.pidfd, unix.SIGKILL, nil, 0); err != nil {
		m.lab.Fatalf("kill -9 %d: %v", m.PID, err)
	}
	m.AwaitEnd()
	m.lab.CheckStaging()
}

// TryKill kills a daemon that may be about to end by itself, and waits for its end.
func (m *Mount) TryKill() {
	m.lab.Helper()
	if err := unix.PidfdSendSignal(m.pidfd, unix.SIGKILL, nil, 0); err != nil && err != unix.ESRCH {
		m.lab.Fatalf("kill -9 %d: %v", m.PID, err)
	}
	m.AwaitEnd()
	m.lab.CheckStaging()
}

// AwaitEnd waits until the daemon has ended.
func (m *Mount) AwaitEnd() {
	m.lab.Helper()
	if m.pidfd < 0 {
		return
	}
	if !awaitEnd(m.pidfd, patience) {
		m.lab.Fatalf("the daemon of %s still runs after %v\n%s", m.Point, patience, m.LogText())
	}
	if err := unix.Close(m.pidfd); err != nil {
		m.lab.Fatal(err)
	}
	m.pidfd = -1
}

// awaitEnd waits for the end of a process that need not be a child.
func awaitEnd(pidfd int, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(max(time.Until(deadline).Milliseconds(), 0)))
		if err == unix.EINTR {
			continue
		}
		return n == 1
	}
}

// LogText returns the daemon's log.
func (m *Mount) LogText() string {
	b, err := os.ReadFile(m.Log)
	if err != nil {
		return err.Error()
	}
	return "log of the daemon:\n" + string(b)
}
