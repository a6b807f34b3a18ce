package mmc

import (
	"context"
	"errors"
	"time"
)

// Patience bounds how a command that may be given twice is repeated.
type Patience struct {
	Retries int           // how often more, when Advice says Retry
	Wait    time.Duration // for how long, when Advice says Wait
}

// usual is how patient a Drive is on its own.
var usual = Patience{Retries: 4, Wait: 30 * time.Second}

const (
	backoffFirst = 10 * time.Millisecond
	backoffMax   = 500 * time.Millisecond
)

// Repeat calls f until Advice says that its error is final, patience has run
// out, or ctx ends. Between two calls it waits, shortly at first: most
// conditions pass quickly, and the buffer of a drive empties within seconds.
func (p Patience) Repeat(ctx context.Context, f func() error) error {
	var b backoff
	for {
		err := f()
		switch Advice(err) {
		case Proceed:
			return nil
		case Wait:
			if b.total >= p.Wait {
				return err
			}
		case Retry:
			if p.Retries--; p.Retries < 0 {
				return err
			}
		default:
			return err
		}
		if serr := b.sleep(ctx); serr != nil {
			return errors.Join(serr, err)
		}
	}
}

// backoff spaces out repetitions.
type backoff struct {
	next, total time.Duration
}

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
