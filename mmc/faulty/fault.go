package faulty

import (
	"context"
	"errors"
	"time"

	"burnfs/mmc"
)

// ErrInjected is the cause of all transport errors that faults make.
var ErrInjected = errors.New("injected error")

// Fault is what happens to a command instead of its plain execution by drive.
type Fault func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error

// CheckCondition answers with sense data; the drive does not see the command.
func CheckCondition(key mmc.SenseKey, asc, ascq uint8) Fault {
	return Sense(mmc.NewSense(key, asc, ascq))
}

// Deferred answers with sense data that blame an earlier command.
func Deferred(key mmc.SenseKey, asc, ascq uint8) Fault {
	s := mmc.NewSense(key, asc, ascq)
	s.SetDeferred()
	return Sense(s)
}

// Sense answers with the given sense data.
func Sense(s mmc.Sense) Fault {
	return func(_ context.Context, _ mmc.Transport, cmd *mmc.Command) error {
		cmd.Resid = len(cmd.Data)
		return mmc.NewSenseError(cmd.CDB, s)
	}
}

// Lost fails as a broken cable does.
func Lost() Fault {
	return func(_ context.Context, _ mmc.Transport, cmd *mmc.Command) error {
		cmd.Resid = len(cmd.Data)
		return &mmc.TransportError{CDB: cmd.CDB, Err: ErrInjected}
	}
}

// Hang fails as Lost does when the timeout of the command has passed. Tests run
// it under fake time (testing/synctest).
func Hang() Fault {
	lost := Lost()
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		time.Sleep(cmd.Timeout)
		return lost(ctx, drive, cmd)
	}
}

// Pretend reports success for a command that the drive does not see.
func Pretend() Fault {
	return func(_ context.Context, _ mmc.Transport, cmd *mmc.Command) error {
		cmd.Resid = 0
		return nil
	}
}

// After lets the drive execute the command, and then does what fault does. If
// the drive itself fails, that is what is told.
func After(fault Fault) Fault {
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		if err := drive.Execute(ctx, cmd); err != nil {
			return err
		}
		return fault(ctx, drive, cmd)
	}
}

// Garble changes the reply of the drive. Commands without a reply are executed.
func Garble(change func(reply []byte)) Fault {
	return After(func(_ context.Context, _ mmc.Transport, cmd *mmc.Command) error {
		if cmd.Direction == mmc.FromDrive {
			change(cmd.Transferred())
		}
		return nil
	})
}

// Short transfers at most n bytes and reports success. Of a READ or WRITE as
// many whole blocks are executed as fit.
func Short(n int) Fault {
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		n := min(n, len(cmd.Data))
		part := *cmd
		if _, _, ok := mmc.BlockRange(cmd.CDB); ok {
			n -= n % mmc.BlockSize
			part.CDB = withBlocks(cmd.CDB, n/mmc.BlockSize)
			part.Data = cmd.Data[:n]
		}
		err := drive.Execute(ctx, &part)
		cmd.Resid = max(part.Resid, 0) + len(cmd.Data) - len(part.Data)
		cmd.Resid = max(cmd.Resid, len(cmd.Data)-n)
		return err
	}
}

// withBlocks returns the CDB of a READ or WRITE with another length.
func withBlocks(cdb []byte, blocks int) []byte {
	c := append([]byte(nil), cdb...)
	if len(c) == 12 {
		c[6], c[7] = byte(blocks>>24), byte(blocks>>16)
		c[8], c[9] = byte(blocks>>8), byte(blocks)
		return c
	}
	c[7], c[8] = byte(blocks>>8), byte(blocks)
	return c
}
