package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/failure"
)

// readyEnv names the file descriptor of the ready pipe to the child.
const readyEnv = "BURNFS_READY_FD"

// Message is what the child says once.
type Message struct {
	Ready   bool             `json:"ready,omitempty"`
	Log     string           `json:"log,omitempty"` // path of the log file
	Failure *failure.Failure `json:"failure,omitempty"`
}

// DiedError means that the child ended without a message.
type DiedError struct{ Err error }

func (e *DiedError) Error() string {
	return fmt.Sprintf("the background process ended before it was ready: %v", e.Err)
}
func (e *DiedError) Unwrap() error { return e.Err }

// Start runs this program again with args (args[0] included) in a session of
// its own and returns what it says. When ctx ends first the child is asked to
// stop with SIGTERM and its end is waited for.
func Start(ctx context.Context, args []string, stderr *os.File) (Message, error) {
	return start(ctx, "/proc/self/exe", args, os.Environ(), stderr)
}

func start(ctx context.Context, exe string, args, env []string, stderr *os.File) (Message, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return Message{}, err
	}
	defer r.Close()
	closeOnExec()
	cmd := exec.Command(exe)
	cmd.Args = args
	cmd.Env = append(env, readyEnv+"=3")
	cmd.ExtraFiles = []*os.File{w}
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return Message{}, err
	}
	stop := context.AfterFunc(ctx, func() {
		// It may have ended already; then there is nothing to stop.
		_ = cmd.Process.Signal(syscall.SIGTERM)
	})
	defer stop()

	line, rerr := bufio.NewReader(io.LimitReader(r, 1<<20)).ReadBytes('\n')
	var m Message
	if rerr == nil {
		rerr = json.Unmarshal(line, &m)
	}
	switch {
	case rerr != nil:
		return Message{}, &DiedError{errors.Join(cmd.Wait(), ctx.Err())}
	case m.Failure != nil:
		_ = cmd.Wait() // its exit status says the same again
		return m, m.Failure
	}
	return m, cmd.Process.Release()
}

// closeOnExec keeps descriptors that this process inherited by accident (a
// make jobserver, a shell's redirection) out of the daemon, which would hold
// them open for as long as the disc is mounted.
func closeOnExec() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}
