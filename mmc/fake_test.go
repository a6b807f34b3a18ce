package mmc

import (
	"context"
	"sync"
	"testing"
)

// fake is a transport whose answers a test writes down.
type fake struct {
	mu     sync.Mutex
	answer func(n int, cmd *Command) error
	sent   []Command
	closed int
}

func (f *fake) Execute(ctx context.Context, cmd *Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	n := len(f.sent)
	c := *cmd
	c.CDB = append([]byte(nil), cmd.CDB...)
	c.Data = append([]byte(nil), cmd.Data...)
	f.sent = append(f.sent, c)
	f.mu.Unlock()
	if f.answer == nil {
		return nil
	}
	return f.answer(n, cmd)
}

func (f *fake) Close() error {
	f.closed++
	return nil
}

// reply answers with data, cut to the allocation length.
func reply(cmd *Command, b []byte) error {
	cmd.Resid = len(cmd.Data) - copy(cmd.Data, b)
	return nil
}

// fail answers with sense data.
func fail(cmd *Command, key SenseKey, asc, ascq uint8) error {
	cmd.Resid = len(cmd.Data)
	return NewSenseError(cmd.CDB, NewSense(key, asc, ascq))
}

func newFake(t testing.TB, answer func(n int, cmd *Command) error) (*Drive, *fake) {
	t.Helper()
	f := &fake{answer: answer}
	return NewDrive(f, nil), f
}
