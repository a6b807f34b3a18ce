package staging

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCloseWhileAProcessStarts: a process that is being started has all files
// until it runs its own program. A store that is closed at this moment is free.
func TestCloseWhileAProcessStarts(t *testing.T) {
	state := t.TempDir()
	s, err := Create(state, Identity{UUID: "u"}, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	copied := copyDescriptor(t, filepath.Join(s.Dir(), lockName))
	defer unix.Close(copied)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := check(state, "u", pieceRanges); err != nil {
		t.Fatalf("looking at it: %v", err)
	}
	if s, err = Open(state, "u", slog.Default()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// copyDescriptor copies what this process has open of a file, as fork(2) does.
func copyDescriptor(t *testing.T, path string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != path {
			continue
		}
		fd, err := strconv.Atoi(filepath.Base(link))
		if err != nil {
			t.Fatal(err)
		}
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return copied
	}
	t.Fatalf("%s is not open", path)
	return -1
}
