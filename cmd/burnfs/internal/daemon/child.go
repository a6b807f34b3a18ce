package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
)

// Child is the background side. A nil Child is a program in the foreground:
// all its methods do nothing.
type Child struct {
	once sync.Once
	pipe *os.File
	log  atomic.Pointer[string] // name of the log file, once Redirect was called
}

// InBackground reports whether Redirect was called with success: the terminal
// does not see any more what is written to standard error.
func (c *Child) InBackground() bool { return c != nil && c.log.Load() != nil }

// FromEnvironment is the Child if this process was begun by Start, else nil.
// The mark is taken out of the environment so that no other program sees it.
func FromEnvironment() (*Child, error) {
	v, ok := os.LookupEnv(readyEnv)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(readyEnv); err != nil {
		return nil, err
	}
	fd, err := strconv.Atoi(v)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%s=%q is not a file descriptor", readyEnv, v)
	}
	unix.CloseOnExec(fd)
	return &Child{pipe: os.NewFile(uintptr(fd), "ready pipe")}, nil
}

// Redirect turns stdout and stderr to log, a file opened by OpenLog, which may
// be closed then.
func (c *Child) Redirect(log *os.File) error {
	if c == nil {
		return nil
	}
	if err := errors.Join(unix.Dup3(int(log.Fd()), 1, 0), unix.Dup3(int(log.Fd()), 2, 0)); err != nil {
		return fmt.Errorf("turn stderr to %s: %w", log.Name(), err)
	}
	name := log.Name()
	c.log.Store(&name)
	return nil
}

// Ready tells that all went well.
func (c *Child) Ready() error {
	if c == nil {
		return nil
	}
	m := Message{Ready: true}
	if name := c.log.Load(); name != nil {
		m.Log = *name
	}
	return c.say(m)
}

// Fail tells why the program ends. After Ready it does nothing.
func (c *Child) Fail(err error) error {
	if c == nil || err == nil {
		return nil
	}
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok {
		f = failure.New(exitcode.General, err, "the mount failed", "", "")
	}
	return c.say(Message{Failure: f})
}

func (c *Child) say(m Message) (err error) {
	c.once.Do(func() {
		err = errors.Join(json.NewEncoder(c.pipe).Encode(m), c.pipe.Close())
	})
	return err
}

// logLimit is the size in bytes from which on a log is set aside.
const logLimit = 1 << 20

// OpenLog opens path for appending. A log over logLimit becomes path.1 and a
// new one is begun, so two of them are all that is ever kept.
func OpenLog(path string) (*os.File, error) {
	if st, err := os.Lstat(path); err == nil && st.Size() > logLimit {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
}
