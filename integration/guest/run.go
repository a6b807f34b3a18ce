//go:build linux

package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"burnfs/integration/guest/exchange"
)

// MaxOutput is how much of a script's output is kept; what comes later only
// goes to the log.
const MaxOutput = 16 << 20

// grace is what the guest has to report a script's end beyond the script's
// time: the kernel may be busy.
const grace = 2 * time.Minute

var (
	// ErrTimeout: a script was killed because its time was up.
	ErrTimeout = errors.New("the script's time was up, it was killed")
	// ErrLost: the guest has ended or does not answer any more.
	ErrLost = errors.New("the guest is lost")
)

// Result is how a script ended.
type Result struct {
	Output string // standard output and standard error
	Code   int    // exit status, 128+n if signal n ended it
}

// Run runs a script with bash, as root, in / and in a session of its own, and
// returns when bash has ended. A status other than 0 is no error. When the
// time is up, the script's process group is killed and the error is
// ErrTimeout; daemons that the script started live on, and must not use its
// standard output. The result is valid beside an error, too.
func (g *Guest) Run(ctx context.Context, script string, timeout time.Duration) (Result, error) {
	select {
	case <-g.turn:
	case <-ctx.Done():
		return Result{Code: -1}, context.Cause(ctx)
	}
	defer func() { g.turn <- struct{}{} }()
	return g.run(ctx, script, timeout)
}

// run is Run for those who have the token.
func (g *Guest) run(ctx context.Context, script string, timeout time.Duration) (Result, error) {
	if g.lost != nil {
		return Result{Code: -1}, g.lost
	}
	if timeout <= 0 {
		return Result{Code: -1}, fmt.Errorf("a script without a time limit: %v", timeout)
	}
	if err := exchange.Write(g.machine.port, exchange.Run, exchange.RunPayload(timeout, script)); err != nil {
		g.lost = errors.Join(ErrLost, err)
		return Result{Code: -1}, g.lost
	}
	late := time.NewTimer(timeout + grace)
	defer late.Stop()
	done := ctx.Done()
	var output strings.Builder
	for {
		select {
		case f, ok := <-g.frames:
			if !ok {
				g.lost = g.gone()
				return Result{output.String(), -1}, g.lost
			}
			switch f.Kind {
			case exchange.Output:
				if _, err := g.log.Write(f.Payload); err != nil {
					return Result{output.String(), -1}, err
				}
				output.Write(f.Payload[:min(len(f.Payload), MaxOutput-output.Len())])
			case exchange.Exit:
				code, timedOut, err := exchange.ParseExit(f.Payload)
				if ctx.Err() != nil {
					err = errors.Join(err, context.Cause(ctx))
				} else if timedOut {
					err = errors.Join(err, fmt.Errorf("%w after %v", ErrTimeout, timeout))
				}
				return Result{output.String(), code}, err
			default:
				g.lost = fmt.Errorf("%w: unexpected frame %d", ErrLost, f.Kind)
				return Result{output.String(), -1}, g.lost
			}
		case <-done:
			done = nil
			late.Reset(grace)
			if err := exchange.Write(g.machine.port, exchange.Kill, nil); err != nil {
				g.lost = errors.Join(ErrLost, err)
				return Result{output.String(), -1}, g.lost
			}
		case <-late.C:
			g.lost = fmt.Errorf("%w: it does not answer", ErrLost)
			return Result{output.String(), -1}, errors.Join(g.lost, context.Cause(ctx))
		}
	}
}

// Dmesg is the kernel's log, from the console alone if the guest is lost.
func (g *Guest) Dmesg(ctx context.Context) string {
	r, err := g.Run(ctx, "dmesg", 2*time.Minute)
	if err != nil {
		return g.Console() + "\n(no dmesg: " + err.Error() + ")"
	}
	return r.Output
}
