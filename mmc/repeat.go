package mmc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Patience bounds how a command that may be given twice is repeated.
type Patience struct {
	Retries int           // how often more, when Advice says Retry
	Wait    time.Duration // for how long, when Advice says Wait
	// Work is for how long instead, if that is more, while the drive says that
	// it is at work (2/04/07, 2/04/08): whoever only asks or reads has to wait
	// for the end of it.
	Work time.Duration
}

// usual is how patient a Drive is on its own.
var usual = Patience{Retries: 4, Wait: ReadyLimit, Work: CloseLimit}

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
			limit := p.Wait
			if atWork(err) {
				limit = max(limit, p.Work)
			}
			if b.total >= limit {
				return fmt.Errorf("the drive was not ready for %v: %w", limit, err)
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
