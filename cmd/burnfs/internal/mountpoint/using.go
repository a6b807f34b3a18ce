package mountpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Using lists the mounts of the disc with the canonical name path, as this
// process sees them: those of burnfs, and those of the kernel's own file systems,
// of the device itself or of a loop device on the file.
func Using(path string) ([]Mount, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	infos, err := mountinfo.GetMountsFromReader(f, nil)
	if err != nil {
		return nil, err
	}
	major, minor, device := deviceNumber(path)
	var list []Mount
	for _, i := range infos {
		m := fromInfo(i)
		switch {
		case m.Burnfs() && m.Source == path:
		case device && m.Major == major && m.Minor == minor:
		case !device && m.Major == loopMajor && backing(m) == path:
		default:
			continue
		}
		list = append(list, m)
	}
	return list, nil
}

// loopMajor is the major number of loop devices (Documentation/admin-guide/devices.txt).
const loopMajor = 7

// backing is the file behind the loop device of a mount.
func backing(m Mount) string {
	b, err := os.ReadFile(filepath.Join("/sys/dev/block", fmt.Sprintf("%d:%d", m.Major, m.Minor), "loop", "backing_file"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}

func deviceNumber(path string) (major, minor int, ok bool) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFBLK {
		return 0, 0, false
	}
	return int(unix.Major(st.Rdev)), int(unix.Minor(st.Rdev)), true
}
