package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openPTY is a pseudo-terminal: what is written to person is typed, what is read
// from it is on the screen (pty(7)).
func openPTY(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return person, terminal
}

// asked runs burnfs at a terminal and answers its first question.
func asked(t *testing.T, answer string, args ...string) result {
	t.Helper()
	person, terminal := openPTY(t)
	cmd := process(t, "burnfs", args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, &out, terminal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	var screen strings.Builder
	answered := false
	buf := make([]byte, 4096)
	for {
		n, err := person.Read(buf)
		screen.Write(buf[:n])
		if err != nil {
			// EIO is how a terminal tells that nobody has it open any more.
			if pe, ok := errors.AsType[*fs.PathError](err); !ok || pe.Err != syscall.EIO {
				t.Errorf("reading the terminal: %v", err)
			}
			break
		}
		if !answered && strings.Contains(screen.String(), "Type yes to go on: ") {
			answered = true
			if _, err := person.WriteString(answer + "\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			t.Fatal(err)
		}
	}
	if !answered {
		t.Errorf("burnfs %q did not ask: %s", args, screen.String())
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), screen.String()}
}
