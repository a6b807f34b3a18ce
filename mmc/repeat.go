package mmc

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Bounds of the repetitions that a Drive does on its own.
const (
	maxRetries = 4                // for Retry
	maxWait    = 30 * time.Second // for Wait
)

// repeat calls f until Advice says that its error is final, at most retries
// times more for Retry, and until maxWait has passed for Wait.
func repeat(ctx context.Context, log *slog.Logger, retries int, f func() error) error {
	var b backoff
	for {
		err := f()
		switch Advice(err) {
		case Proceed:
			return nil
		case Wait:
			if b.total >= maxWait {
				return err
			}
		case Retry:
			if retries--; retries < 0 {
				return err
			}
		default:
			return err
		}
		log.Debug("the command is given again", "err", err)
		if serr := b.sleep(ctx); serr != nil {
			return errors.Join(serr, err)
		}
	}
}

// backoff spaces out repetitions: short at first, because most conditions pass
// quickly, then longer.
type backoff struct {
	next, total time.Duration
}

const (
	backoffFirst = 20 * time.Millisecond
	backoffMax   = 500 * time.Millisecond
)

// sleep waits for the next interval, or until ctx ends.
func (b *backoff) sleep(ctx context.Context) error {
	b.next = min(max(backoffFirst, b.next*3/2), backoffMax)
	b.total += b.next
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
