package fusefs

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// childEnv turns the test binary into a program that works on a mount, see
// child_test.go. The tests themselves never touch one.
const childEnv = "FUSEFS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := childMain(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// A shell opens a file anew, and closes it once more, if its number is taken.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		fmt.Fprintln(os.Stderr, "inherited descriptors:", err)
		os.Exit(1)
	}
	log.SetOutput(io.MultiWriter(os.Stderr, bazilLog))
	os.Exit(m.Run())
}

// bazilLog keeps what bazil.org/fuse writes to the standard logger.
var bazilLog = new(lockedBuffer)

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
