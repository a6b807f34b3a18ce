package mmc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	errUnexplained = &Condition{2, 0x04, 0x00, "not ready, cause not reportable"}
	errStopped     = &Condition{2, 0x04, 0x02, "not ready, initializing command required"}
)

// unexplained is how long WaitReady believes a drive that is not ready for a
// reason it does not tell (2/04/00). Some bridges say so for ever after long
// operations.
const unexplained = 10 * time.Second

// tellAfter is when whoever waits wants to know why.
const tellAfter = 20 * time.Second

// WaitReady polls TEST UNIT READY until the drive is ready for medium access,
// at most for limit, or for CloseLimit if that is more and the drive says that it
// is at work (2/04/07, 2/04/08): somebody may have begun that before, and been
// interrupted. why names the operation that is waited for, for messages.
// A drive that was stopped is started (2/04/02). Unit attentions are taken note of
// (see [Drive.MediumChanges]) and do not end the wait. One that for ten seconds has
// not told why it is not ready (2/04/00) counts as ready: some bridges say so for
// ever. A deferred error means that the operation failed.
func (d *Drive) WaitReady(ctx context.Context, why string, limit time.Duration) error {
	return d.WaitProgress(ctx, why, limit, nil)
}

// WaitProgress does what WaitReady does, and calls report, unless it is nil, with
// the progress that the drive tells in the sense data of a long running operation:
// a fraction from 0 to 1 (SPC-3 4.5.2.4.4). Not all drives tell any, and some tell
// one that goes back.
func (d *Drive) WaitProgress(ctx context.Context, why string, limit time.Duration, report func(fraction float64)) error {
	var b backoff
	retries, told, started := 0, false, false
	// On b's clock: when nothing but 2/04/00 began, and when the drive said
	// last that it was at work.
	var vague, worked time.Duration
	for {
		err := d.TestUnitReady(ctx)
		if err == nil {
			d.log.Debug("ready", "after", why, "waited", b.total)
			return nil
		}
		isVague := errors.Is(err, errUnexplained)
		if !isVague {
			vague = b.total
		}
		switch a := Advice(err); {
		case a == Proceed:
			return nil
		case isVague && b.total-vague >= unexplained:
			d.log.Warn("the drive does not tell why it is not ready; going on", "after", why, "err", err)
			return nil
		case errors.Is(err, errStopped) && !started:
			// The disc does not turn: a program has stopped it to save power.
			started = true
			if serr := d.StartStopUnit(ctx, true, StartUnit); serr != nil {
				d.log.Debug("the drive does not start", "err", serr)
			}
		case a == Wait:
			d.reportProgress(ctx, err, report)
		case a == Reload || errors.Is(err, ErrUnitAttention):
			// Each unit attention is reported once: the next poll tells more.
		case a == Retry:
			if retries++; retries > usual.Retries {
				return fmt.Errorf("waiting for the drive after %s: %w", why, err)
			}
		default:
			return fmt.Errorf("waiting for the drive after %s: %w", why, err)
		}
		bound, waited := limit, b.total-worked
		if atWork(err) {
			bound, waited, worked = max(limit, CloseLimit), b.total, b.total
		}
		if waited >= bound {
			return fmt.Errorf("the drive is still not ready %v after %s: %w", bound, why, err)
		}
		if !told && b.total >= tellAfter {
			told = true
			d.log.Warn("the drive is busy; waiting for it", "after", why, "at most", bound, "err", err)
		}
		if serr := b.sleep(ctx); serr != nil {
			return fmt.Errorf("waiting for the drive after %s: %w", why, serr)
		}
	}
}

// reportProgress takes the progress from the sense data that TEST UNIT READY
// returned, or asks for it: drives tell it in one place or the other.
func (d *Drive) reportProgress(ctx context.Context, err error, report func(float64)) {
	if report == nil {
		return
	}
	se, ok := errors.AsType[*SenseError](err)
	if !ok {
		return
	}
	p, ok := se.Raw.Progress()
	if !ok {
		s, rerr := d.RequestSense(ctx)
		if rerr != nil {
			return // the next poll tells whether that means anything
		}
		p, ok = s.Progress()
	}
	if ok {
		report(float64(p) / 65536)
	}
}
