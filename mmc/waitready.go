package mmc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errUnexplained = &Condition{2, 0x04, 0x00, "not ready, cause not reportable"}

// unexplained is how long WaitReady believes a drive that is not ready for a
// reason it does not tell (2/04/00). Some bridges say so for ever after long
// operations.
const unexplained = 10 * time.Second

// WaitReady polls TEST UNIT READY until the drive is ready for medium access,
// at most for limit. why names the operation that is waited for, for messages.
// Unit attentions are taken note of (see MediumChanges) and do not end the wait.
// A deferred error means that the operation failed.
func (d *Drive) WaitReady(ctx context.Context, why string, limit time.Duration) error {
	var b backoff
	retries := 0
	var vague time.Duration // when nothing but 2/04/00 began, on b's clock
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
		case a == Wait:
		case a == Reload || errors.Is(err, ErrUnitAttention):
			// Each unit attention is reported once: the next poll tells more.
		case a == Retry:
			if retries++; retries > usual.Retries {
				return fmt.Errorf("waiting for the drive after %s: %w", why, err)
			}
		default:
			return fmt.Errorf("waiting for the drive after %s: %w", why, err)
		}
		if b.total >= limit {
			return fmt.Errorf("the drive is still not ready %v after %s: %w", limit, why, err)
		}
		if serr := b.sleep(ctx); serr != nil {
			return fmt.Errorf("waiting for the drive after %s: %w", why, serr)
		}
	}
}
