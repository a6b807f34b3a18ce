package sgio

import (
	"context"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
)

// job is one command for the drive's thread.
type job struct {
	cmd  *mmc.Command
	done chan<- error
}

// Execute implements mmc.Transport.
func (t *Transport) Execute(ctx context.Context, cmd *mmc.Command) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if op := cmd.Opcode(); t.guard && changesMedium(op) {
		cmd.Resid = len(cmd.Data)
		return &mmc.TransportError{CDB: append([]byte(nil), cmd.CDB...), Unsent: true, Err: ErrReadOnly}
	}
	done := make(chan error, 1)
	select {
	case t.jobs <- job{cmd, done}:
		return <-done // whatever becomes of ctx: nobody can take it back
	case <-t.ended:
		cmd.Resid = len(cmd.Data)
		return &mmc.TransportError{CDB: append([]byte(nil), cmd.CDB...), Unsent: true, Err: os.ErrClosed}
	}
}

// thread executes all commands of a drive on one OS thread of its own, so that a
// drive that keeps a command for hours blocks nothing but itself, and so that the
// signal mask can be changed. The thread ends with the goroutine.
func (t *Transport) thread() {
	runtime.LockOSThread()
	defer close(t.ended)
	x := new(exchange)
	for {
		select {
		case j := <-t.jobs:
			j.done <- t.perform(x, j.cmd)
		case <-t.quit:
			return
		}
	}
}

func (t *Transport) perform(x *exchange, cmd *mmc.Command) error {
	if len(cmd.CDB) < 6 || len(cmd.CDB) > len(x.cdb) {
		cmd.Resid = len(cmd.Data)
		return &mmc.TransportError{CDB: append([]byte(nil), cmd.CDB...), Unsent: true, Err: unix.EMSGSIZE}
	}
	if t.media.changed() && cmd.Opcode() != mmc.OpInquiry && cmd.Opcode() != mmc.OpRequestSense {
		// SPC-3 6.4, 6.27: those two never report a unit attention.
		cmd.Resid = len(cmd.Data)
		t.media.reported()
		return mmc.NewSenseError(cmd.CDB, mmc.NewSense(mmc.KeyUnitAttention, 0x28, 0x00))
	}
	x.prepare(cmd)
	if errno := x.run(t.fd, t.submit); errno != 0 {
		return t.refused(cmd, errno)
	}
	if changesMedium(cmd.Opcode()) {
		t.changed = true
	}
	return x.result(cmd, t.offline)
}

func (t *Transport) offline() bool { return t.sys.offline(t.node) }

// Close implements mmc.Transport. It gives up the claim and tells the kernel to
// forget the blocks it has cached, if they were written.
func (t *Transport) Close() error {
	t.close.Do(func() {
		close(t.quit)
		<-t.ended
		if t.changed && !t.generic {
			t.flush()
		}
		t.media.close()
		t.closed = unix.Close(t.fd)
	})
	return t.closed
}
