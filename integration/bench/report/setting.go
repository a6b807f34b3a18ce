package report

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/bench/lab"
)

// Describe says where the measurements are about to be made.
func Describe(ctx context.Context, l *lab.Lab, rounds int) (Setting, error) {
	s := Setting{Began: time.Now().UTC(), Scale: l.Scale, Rounds: rounds, Processors: runtime.NumCPU()}
	_, version, err := l.Run(ctx, l.Burnfs, "version")
	if err != nil {
		return s, err
	}
	s.Burnfs, _, _ = strings.Cut(strings.TrimSpace(version), "\n")
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return s, err
	}
	s.Kernel = unix.ByteSliceToString(name.Release[:])
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return s, err
	}
	s.MemoryMiB = int64(info.Totalram) * int64(info.Unit) >> 20
	if s.FileSystem, err = fileSystem(l.Dir); err != nil {
		return s, err
	}
	s.LoadBefore, err = load()
	return s, err
}

// End adds what is known when all was measured.
func (s *Setting) End(l *lab.Lab) (err error) {
	s.Seconds = time.Since(s.Began).Seconds()
	s.Cold = l.ColdBy()
	s.LoadAfter, err = load()
	return err
}

// load is the load average of the last minute (proc_loadavg(5)).
func load() (float64, error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	var minute float64
	_, err = fmt.Sscan(string(b), &minute)
	return minute, err
}

// Magic numbers of statfs(2).
var fileSystems = map[int64]string{
	unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs",
	unix.TMPFS_MAGIC: "tmpfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs",
}

func fileSystem(dir string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", err
	}
	if name, ok := fileSystems[int64(st.Type)]; ok {
		return name, nil
	}
	return fmt.Sprintf("a file system of type %#x", st.Type), nil
}
